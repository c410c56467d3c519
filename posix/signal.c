/* SPDX-License-Identifier: BSD-2-Clause */
/* Signal calls: entries to kernel/sched/signal.c. */
#include "kernel/lib/string.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/creds.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/signal_frame.h"
#include "kernel/sched/process.h"
#include "kernel/sched/thread.h"
#include "posix/calls.h"
#include "posix/process.h"
#include "posix/time_convert.h"

#define SIGSET_SIZE 8
#define MINSIGSTKSZ 2048
#define SS_ONSTACK  1

static bool bad_signal(int signo)
{
	return signo < 1 || signo > SIGNALS;
}

long kcall_rt_sigaction(int signo, const struct signal_action *new,
    struct signal_action *old, size_t size)
{
	struct signal_action was, want;

	if (size != SIGSET_SIZE || bad_signal(signo) ||
	    (new && (signo == SIG_KILL || signo == SIG_STOP)))
		return -EINVAL;
	if (new &&copy_in(&want, new, sizeof(want)))
		return -EFAULT;
	signal_action_get(signo, &was);
	if (new)
		signal_action_set(signo, &want);
	if (old && copy_out(old, &was, sizeof(was)))
		return -EFAULT;
	return 0;
}

long kcall_rt_sigprocmask(
    int how, const uint64_t *set, uint64_t *old, size_t size)
{
	enum { BLOCK, UNBLOCK, SETMASK };
	uint64_t mask = signal_mask(), change;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (set) {
		if (copy_in(&change, set, sizeof(change)))
			return -EFAULT;
		if (how == BLOCK)
			change = mask | change;
		else if (how == UNBLOCK)
			change = mask & ~change;
		else if (how != SETMASK)
			return -EINVAL;
		signal_set_mask(change, NULL);
	}
	return old ? copy_out(old, &mask, sizeof(mask)) : 0;
}

long kcall_rt_sigreturn(uintptr_t uc)
{
	signal_return(uc);
}

long kcall_rt_sigpending(uint64_t *set, size_t size)
{
	uint64_t pending = signal_pending_set() & signal_mask();

	if (size > SIGSET_SIZE)
		return -EINVAL;
	return copy_out(set, &pending, size);
}

long kcall_rt_sigtimedwait(const uint64_t *set, struct signal_info *info,
    const struct __kernel_timespec *timeout, size_t size)
{
	uint64_t want, ns, deadline = DEADLINE_NEVER;
	struct signal_info got;
	long r;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (copy_in(&want, set, sizeof(want)))
		return -EFAULT;
	if (timeout) {
		r = timespec_import(timeout, &ns);
		if (r)
			return r;
		deadline = deadline_after(ns);
	}
	r = signal_wait(want, deadline, &got);
	if (r > 0 && info && copy_out(info, &got, sizeof(got)))
		return -EFAULT;
	return r;
}

/* The mask is restored after the handler has run, by signal_deliver_trap. */
static long suspend_with(uint64_t mask)
{
	struct signal_thread *s = thread_current()->signals;
	int err = 0;

	signal_set_mask(mask, &s->saved_mask);
	s->restore_mask = true;
	while (!err)
		err = thread_sleep(DEADLINE_NEVER, true);
	return -EINTR;
}

long kcall_rt_sigsuspend(const uint64_t *set, size_t size)
{
	uint64_t mask;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (copy_in(&mask, set, sizeof(mask)))
		return -EFAULT;
	return suspend_with(mask);
}

long kcall_pause(void)
{
	return suspend_with(signal_mask());
}

long kcall_sigaltstack(const void *new, void *old)
{
	struct {
		uintptr_t sp;
		uint32_t flags, pad;
		size_t size;
	} st;
	struct signal_thread *s = thread_current()->signals;
	uint32_t was_flags =
	    s->alt_flags | (signal_on_altstack() ? SS_ONSTACK : 0);
	uintptr_t was_sp = s->alt_sp;
	size_t was_size = s->alt_size;

	if (new) {
		if (copy_in(&st, new, sizeof(st)))
			return -EFAULT;
		if (signal_on_altstack())
			return -EPERM;
		if (st.flags & ~3u)
			return -EINVAL;
		if (!(st.flags & 2) && st.size < MINSIGSTKSZ)
			return -ENOMEM;
		s->alt_flags = st.flags & 2;
		s->alt_sp = st.flags & 2 ? 0 : st.sp;
		s->alt_size = st.flags & 2 ? 0 : st.size;
	}
	memset(&st, 0, sizeof(st));
	st.sp = was_sp;
	st.size = was_size;
	st.flags = was_flags;
	return old ? copy_out(old, &st, sizeof(st)) : 0;
}

static struct signal_info info_of_user(int code)
{
	return (struct signal_info){
	    .code = code, .pid = PROCESS_PID, .uid = creds.uid.real};
}

/* Init has a handler for no signal, and so none reaches it. */
static long signal_init(void)
{
	return !creds.uid.real || process_may_touch_init(CAP_KILL) ? 0 : -EPERM;
}

long kcall_kill(int pid, int signo)
{
	struct signal_info info = info_of_user(SI_USER_CODE);

	if (signo && bad_signal(signo))
		return -EINVAL;
	if (pid == PROCESS_INIT)
		return signal_init();
	if (pid != 0 && pid != PROCESS_PID && pid != -PROCESS_PID)
		return -ESRCH; /* -1: all others but init, and there are none */
	return signo ? signal_send_process(signo, &info) : 0;
}

static long send_to_tid(int tid, int signo, const struct signal_info *info)
{
	if ((signo && bad_signal(signo)) || tid <= 0)
		return -EINVAL;
	if (tid == PROCESS_INIT)
		return signal_init();
	return signal_send_tid(tid, signo, info);
}

long kcall_tkill(int tid, int signo)
{
	struct signal_info info = info_of_user(SI_TKILL_CODE);

	return send_to_tid(tid, signo, &info);
}

long kcall_tgkill(int pid, int tid, int signo)
{
	if (pid <= 0)
		return -EINVAL;
	if (pid != (tid == PROCESS_INIT ? PROCESS_INIT : PROCESS_PID))
		return signo && bad_signal(signo) ? -EINVAL : -ESRCH;
	return kcall_tkill(tid, signo);
}

/* To others a signal can't look like kill()'s or the kernel's. */
static bool may_pretend(const struct signal_info *info)
{
	return info->code < 0 && info->code != SI_TKILL_CODE;
}

long kcall_rt_sigqueueinfo(int pid, int signo, const struct signal_info *user)
{
	struct signal_info info;

	if (copy_in(&info, user, sizeof(info)))
		return -EFAULT;
	if (signo && bad_signal(signo))
		return -EINVAL;
	if (pid == PROCESS_INIT)
		return may_pretend(&info) ? signal_init() : -EPERM;
	if (pid != PROCESS_PID)
		return -ESRCH;
	return signo ? signal_send_process(signo, &info) : 0;
}

long kcall_rt_tgsigqueueinfo(
    int pid, int tid, int signo, const struct signal_info *user)
{
	struct signal_info info;

	if (copy_in(&info, user, sizeof(info)))
		return -EFAULT;
	if (pid == PROCESS_INIT && tid == PROCESS_INIT && !may_pretend(&info))
		return -EPERM;
	if (pid != (tid == PROCESS_INIT ? PROCESS_INIT : PROCESS_PID))
		return -ESRCH;
	return send_to_tid(tid, signo, &info);
}

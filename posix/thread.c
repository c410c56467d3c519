/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads as the C library starts and ends them, and futexes.
 *
 * clone(2) with its "returns twice" can't be a C function; musl's __clone is
 * replaced by thread_spawn, which takes the function to run.
 */
#include <linux/futex.h>
#include <linux/sched.h>
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/lib/string.h"
#include "kernel/mm/uaccess.h"
#include "kernel/mm/vm.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/futex.h"
#include "kernel/sched/process.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/thread.h"
#include "posix/calls.h"
#include "posix/time_convert.h"

#define THREAD_FLAGS                                                           \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define ROBUST_MAX 2048

/* What a new thread needs of the program's wishes. */
struct spawn {
	void (*fn)(void *); /* its result, an int, is the exit status */
	void *arg;
	uintptr_t stack, tls;
	int *ptid, *ctid;
	unsigned long flags;
};

static void policy_inherit(struct thread *t, const struct thread *from)
{
	bool reset = from->reset_on_fork;

	thread_set_nice(t, reset && from->nice < 0 ? 0 : from->nice);
	if (!reset || from->base_prio <= 0)
		thread_set_policy(
		    t, from->policy, max((int)from->base_prio, 0));
}

/* A thread of process scope is scheduled as the process is. */
static void scope_set(struct thread *t)
{
	struct thread *process;

	if (!thread_current()->spawn_process_scope)
		return;
	spin_lock(&threads_lock);
	t->process_scope = true;
	process = thread_find_locked(PROCESS_PID);
	if (process)
		policy_inherit(t, process);
	spin_unlock(&threads_lock);
}

long kcall_thread_spawn(const struct spawn *user)
{
	struct spawn s;
	struct thread *t;

	if (copy_in(&s, user, sizeof(s)))
		return -EFAULT;
	if ((s.flags & THREAD_FLAGS) != THREAD_FLAGS)
		return -ENOSYS; /* a process: fork, vfork */
	if (!s.stack)
		return -EINVAL;
	t = thread_create("", s.fn, s.arg, s.stack & ~15ul);
	if (!t)
		return -EAGAIN;
	memcpy(t->name, thread_current()->name, sizeof(t->name));
	policy_inherit(t, thread_current());
	scope_set(t);
	t->fs_base = s.flags & CLONE_SETTLS ? s.tls : 0;
	if (s.flags & CLONE_CHILD_CLEARTID)
		t->clear_child_tid = s.ctid;
	int tid = t->tid;
	/* As on Linux a bad address is nobody's error. */
	if (s.flags & CLONE_PARENT_SETTID)
		(void)put_user(s.ptid, tid);
	if (s.flags & CLONE_CHILD_SETTID)
		(void)put_user(s.ctid, tid);
	thread_start(t);
	return tid;
}

long kcall_clone(void)
{
	return -ENOSYS; /* fork: there is one process */
}

/* set_robust_list(2): locks that die with their owner are marked so. */
struct robust_head {
	uintptr_t next;
	long offset;
	uintptr_t pending;
};

#define FUTEX_WORD_WAITERS    0x80000000u
#define FUTEX_WORD_OWNER_DIED 0x40000000u
#define FUTEX_WORD_TID        0x3fffffffu

int uaccess_cmpxchg32(uint32_t *p, uint32_t *expected, uint32_t new);

static void robust_release(uint32_t *word, int tid, bool pi)
{
	uint32_t old;

	if ((uintptr_t)word >= USER_END)
		return;
	if (pi) {
		futex_pi_owner_died(word);
		return;
	}
	if (get_user(old, word))
		return;
	while ((old & FUTEX_WORD_TID) == (uint32_t)tid) {
		uint32_t new =
		    (old & FUTEX_WORD_WAITERS) | FUTEX_WORD_OWNER_DIED;
		int r = uaccess_cmpxchg32(word, &old, new);
		if (r < 0)
			return;
		if (r == 0) {
			if (old & FUTEX_WORD_WAITERS)
				futex_wake(word, 1, UINT32_MAX);
			return;
		}
	}
}

static void robust_list_walk(struct thread *t)
{
	struct robust_head h;
	uintptr_t entry;

	if (!t->robust_list || copy_in(&h, t->robust_list, sizeof(h)))
		return;
	entry = h.next;
	for (int i = 0; i < ROBUST_MAX; i++) {
		uintptr_t at = entry & ~1ul;
		if (at == (uintptr_t)t->robust_list)
			break;
		bool pi = entry & 1;
		if (copy_in(&entry, (void *)at, sizeof(entry)))
			break;
		if (at != (h.pending & ~1ul))
			robust_release(
			    (uint32_t *)(at + (uintptr_t)h.offset), t->tid, pi);
	}
	if (h.pending)
		robust_release(
		    (uint32_t *)((h.pending & ~1ul) + (uintptr_t)h.offset),
		    t->tid, h.pending & 1);
}

/* Of threads that end at the same time one has to be the last. */
static bool is_last(struct thread *self)
{
	struct thread *t;
	bool last = true;

	spin_lock(&threads_lock);
	self->exiting = true;
	list_for_each (t, &threads_all, all_node)
		last &= t->kernel_only || t->exiting;
	spin_unlock(&threads_lock);
	return last;
}

long kcall_exit(int status)
{
	struct thread *t = thread_current();

	if (is_last(t))
		process_exit(status & 0xff);
	robust_list_walk(t);
	if (t->clear_child_tid && !put_user(t->clear_child_tid, 0))
		futex_wake((uint32_t *)t->clear_child_tid, 1, UINT32_MAX);
	futex_pi_thread_exit();
	signal_thread_exit();
	thread_exit();
}

/* A detached thread gives up the stack that it runs on. */
long kcall_exit_unmap(uintptr_t stack, size_t len)
{
	(void)vm_munmap(stack, len);
	return kcall_exit(0);
}

long kcall_exit_group(int status)
{
	process_exit(status & 0xff);
}

long kcall_set_tid_address(int *p)
{
	thread_current()->clear_child_tid = p;
	return thread_current()->tid;
}

long kcall_set_robust_list(void *head, size_t len)
{
	if (len != sizeof(struct robust_head))
		return -EINVAL;
	thread_current()->robust_list = head;
	return 0;
}

long kcall_get_robust_list(int tid, void **head, size_t *len)
{
	struct thread *t = thread_current();
	void *list;

	spin_lock(&threads_lock);
	if (tid)
		t = thread_find_locked(tid);
	list = t ? t->robust_list : NULL;
	spin_unlock(&threads_lock);
	if (!t)
		return -ESRCH;
	if (put_user(head, list) || put_user(len, sizeof(struct robust_head)))
		return -EFAULT;
	return 0;
}

long kcall_cancel_point(int on)
{
	thread_current()->cp_call = (uint8_t)on;
	return 0;
}

long kcall_gettid(void)
{
	return thread_current()->tid;
}

static long futex_deadline(
    const struct __kernel_timespec *user, int op, uint64_t *deadline)
{
	int cmd = op & FUTEX_CMD_MASK;
	bool wall = op & FUTEX_CLOCK_REALTIME || cmd == FUTEX_LOCK_PI;
	uint64_t ns;
	long err;

	*deadline = DEADLINE_NEVER;
	if (!user)
		return 0;
	err = timespec_import(user, &ns);
	if (err)
		return err;
	if (cmd == FUTEX_WAIT)
		*deadline = deadline_after(ns);
	else if (wall)
		*deadline = deadline_of_realtime(ns);
	else
		*deadline = ns;
	return 0;
}

long kcall_futex(uint32_t *addr, int op, uint32_t val, unsigned long timeout,
    uint32_t *addr2, uint32_t val3)
{
	uint64_t deadline;
	long err;

	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
		val3 = FUTEX_BITSET_MATCH_ANY;
		/* fall through */
	case FUTEX_WAIT_BITSET:
		err = futex_deadline((void *)timeout, op, &deadline);
		return err ? err : futex_wait(addr, val, deadline, val3);
	case FUTEX_WAKE:
		return futex_wake(addr, (int)val, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return futex_wake(addr, (int)val, val3);
	case FUTEX_REQUEUE:
		return futex_requeue(
		    addr, (int)val, (int)timeout, addr2, false, 0);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(
		    addr, (int)val, (int)timeout, addr2, true, val3);
	case FUTEX_WAKE_OP:
		return futex_wake_op(addr, (int)val, (int)timeout, addr2, val3);
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		err = futex_deadline((void *)timeout, op, &deadline);
		return err ? err : futex_lock_pi(addr, deadline, false);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(addr, DEADLINE_NEVER, true);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(addr);
	default:
		return -ENOSYS;
	}
}

/* What all CPUs do before a flush of their TLBs returns is a full fence, and
 * those that are idle pass one on their way out. */
long kcall_membarrier(int cmd, unsigned flags)
{
	enum { QUERY = 0, GLOBAL = 1, PRIVATE = 8, REGISTER_PRIVATE = 16 };

	if (flags)
		return -EINVAL;
	if (cmd == QUERY)
		return GLOBAL | PRIVATE | REGISTER_PRIVATE;
	if (cmd != GLOBAL && cmd != PRIVATE && cmd != REGISTER_PRIVATE)
		return -EINVAL;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	tlb_flush(0, PAGE_SIZE); /* where nothing ever is */
	return 0;
}

long kcall_arch_prctl(int code, uintptr_t addr)
{
	enum { SET_GS = 0x1001, SET_FS = 0x1002, GET_FS = 0x1003 };

	if (code == SET_FS) {
		if (addr >= USER_END)
			return -EPERM;
		thread_current()->fs_base = addr;
		cpu_set_fs_base(addr);
		return 0;
	}
	if (code == GET_FS)
		return put_user((uintptr_t *)addr, thread_current()->fs_base);
	return code == SET_GS ? -EPERM : -EINVAL;
}

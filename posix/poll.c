/* SPDX-License-Identifier: BSD-2-Clause */
/* poll, select, epoll, eventfd and pipe calls. */
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include "kernel/fs/epoll.h"
#include "kernel/fs/eventfd.h"
#include "kernel/fs/file.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/poll.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/thread.h"
#include "posix/calls.h"
#include "posix/fs.h"
#include "posix/time_convert.h"

#define EFD_SEMAPHORE 1 /* eventfd(2) */

#define FD_SETSIZE 1024
#define SET_WORDS  (FD_SETSIZE / 64)

#define SELECT_IN  (POLL_IN | POLL_HUP | POLL_ERR | 0x40 | 0x80)
#define SELECT_OUT (POLL_OUT | POLL_ERR | 0x100 | 0x200)
#define SELECT_EX  POLL_PRI

static uint64_t deadline_of_ms(int ms)
{
	if (ms < 0)
		return DEADLINE_NEVER;
	return ms ? deadline_after((uint64_t)ms * (uint64_t)NSEC_PER_MSEC) : 0;
}

/* A signal mask for the time of a wait.  A signal that ended it is delivered
 * under that mask, so the old one is then restored by the delivery. */
static long mask_begin(const uint64_t *user, size_t size, uint64_t *saved)
{
	uint64_t mask;

	if (!user)
		return 0;
	if (size != sizeof(mask))
		return -EINVAL;
	if (copy_in(&mask, user, sizeof(mask)))
		return -EFAULT;
	signal_set_mask(mask, saved);
	return 0;
}

static void mask_end(const uint64_t *user, uint64_t saved, long result)
{
	struct signal_thread *s = thread_current()->signals;

	if (!user)
		return;
	if (result == -EINTR) {
		s->saved_mask = saved;
		s->restore_mask = true;
	} else {
		signal_set_mask(saved, NULL);
	}
}

static void entries_put(struct poll_entry *e, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (e[i].file)
			file_put(e[i].file);
	kfree(e);
}

static long do_poll(struct pollfd *user, unsigned n, uint64_t deadline)
{
	struct poll_entry *e = NULL;
	long r;

	if (n > fd_limit)
		return -EINVAL;
	if (n && !(e = kzalloc(n * sizeof(*e))))
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		struct pollfd p;
		if (copy_in(&p, &user[i], sizeof(p))) {
			entries_put(e, i);
			return -EFAULT;
		}
		e[i].events = (uint16_t)p.events;
		if (p.fd < 0)
			continue;
		e[i].file = fd_get(p.fd);
		if (!e[i].file)
			e[i].revents = POLL_NVAL;
	}
	r = poll_files(e, n, deadline);
	for (unsigned i = 0; i < n && r >= 0; i++)
		if (put_user(&user[i].revents, (short)e[i].revents))
			r = -EFAULT;
	entries_put(e, n);
	return r;
}

long kcall_poll(struct pollfd *fds, unsigned n, int ms)
{
	return do_poll(fds, n, deadline_of_ms(ms));
}

static long deadline_import(
    const struct __kernel_timespec *user, uint64_t *deadline)
{
	uint64_t ns = 0;
	long err;

	*deadline = DEADLINE_NEVER;
	if (!user)
		return 0;
	err = timespec_import(user, &ns);
	*deadline = ns ? deadline_after(ns) : 0;
	return err;
}

/* Linux writes back the time that was left. */
static long timeout_export(
    struct __kernel_timespec *user, uint64_t deadline, long r)
{
	uint64_t now = clock_monotonic();

	if (user && deadline != DEADLINE_NEVER)
		(void)put_user(
		    user, timespec_of(deadline > now ? deadline - now : 0));
	return r;
}

long kcall_ppoll(struct pollfd *fds, unsigned n, struct __kernel_timespec *ts,
    const uint64_t *mask, size_t size)
{
	uint64_t deadline, saved;
	long r = deadline_import(ts, &deadline);

	if (!r)
		r = mask_begin(mask, size, &saved);
	if (r)
		return r;
	r = do_poll(fds, n, deadline);
	mask_end(mask, saved, r);
	return timeout_export(ts, deadline, r);
}

struct fd_sets {
	uint64_t in[3][SET_WORDS], out[3][SET_WORDS];
};

static const unsigned set_events[3] = {SELECT_IN, SELECT_OUT, SELECT_EX};

static unsigned wanted(const struct fd_sets *s, unsigned fd)
{
	unsigned ev = 0;

	for (int k = 0; k < 3; k++)
		if (s->in[k][fd / 64] >> (fd % 64) & 1)
			ev |= set_events[k];
	return ev;
}

static int sets_fill(struct fd_sets *s, const struct poll_entry *e, unsigned n)
{
	int count = 0;

	for (unsigned fd = 0; fd < n; fd++)
		for (int k = 0; k < 3; k++)
			if (s->in[k][fd / 64] >> (fd % 64) & 1 &&
			    e[fd].revents & set_events[k]) {
				s->out[k][fd / 64] |= 1ull << (fd % 64);
				count++;
			}
	return count;
}

static long select_sets(struct fd_sets *s, unsigned n, uint64_t deadline)
{
	struct poll_entry *e = kzalloc((n + 1) * sizeof(*e));
	long r = 0;

	if (!e)
		return -ENOMEM;
	for (unsigned fd = 0; fd < n && !r; fd++) {
		e[fd].events = wanted(s, fd);
		if (!e[fd].events)
			continue;
		e[fd].file = fd_get((int)fd);
		if (!e[fd].file)
			r = -EBADF;
	}
	if (!r)
		r = poll_files(e, n, deadline);
	if (r >= 0)
		r = sets_fill(s, e, n);
	entries_put(e, n);
	return r;
}

static long do_select(int n, uint64_t *user[3], uint64_t deadline)
{
	struct fd_sets *s;
	size_t bytes;
	long r = 0;

	if (n < 0)
		return -EINVAL;
	n = min(n, FD_SETSIZE);
	bytes = ((unsigned)n + 63) / 64 * 8;
	s = kzalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	for (int k = 0; k < 3 && !r; k++)
		if (user[k])
			r = copy_in(s->in[k], user[k], bytes);
	if (!r)
		r = select_sets(s, (unsigned)n, deadline);
	for (int k = 0; k < 3 && r >= 0; k++)
		if (user[k] && copy_out(user[k], s->out[k], bytes))
			r = -EFAULT;
	kfree(s);
	return r;
}

long kcall_select(int n, uint64_t *in, uint64_t *out, uint64_t *ex,
    struct __kernel_old_timeval *tv)
{
	uint64_t *sets[3] = {in, out, ex}, deadline = DEADLINE_NEVER, ns;
	struct __kernel_old_timeval t;
	long r;

	if (tv) {
		if (copy_in(&t, tv, sizeof(t)))
			return -EFAULT;
		if (t.tv_sec < 0 || t.tv_usec < 0)
			return -EINVAL;
		ns = (uint64_t)min(t.tv_sec, SECONDS_MAX - 1) * NSEC_PER_SEC +
		     (uint64_t)min(t.tv_usec, 999999L) * 1000;
		deadline = ns ? deadline_after(ns) : 0;
	}
	r = do_select(n, sets, deadline);
	if (tv) {
		uint64_t now = clock_monotonic();
		ns = deadline > now ? deadline - now : 0;
		t.tv_sec = (long)(ns / NSEC_PER_SEC);
		t.tv_usec = (long)(ns % NSEC_PER_SEC / 1000);
		(void)put_user(tv, t);
	}
	return r;
}

long kcall_pselect6(int n, uint64_t *in, uint64_t *out, uint64_t *ex,
    struct __kernel_timespec *ts, const void *sig)
{
	struct {
		const uint64_t *mask;
		size_t size;
	} arg = {NULL, 0};
	uint64_t *sets[3] = {in, out, ex}, deadline, saved;
	long r = deadline_import(ts, &deadline);

	if (!r && sig && copy_in(&arg, sig, sizeof(arg)))
		r = -EFAULT;
	if (!r)
		r = mask_begin(arg.mask, arg.size, &saved);
	if (r)
		return r;
	r = do_select(n, sets, deadline);
	mask_end(arg.mask, saved, r);
	return timeout_export(ts, deadline, r);
}

long kcall_epoll_create1(int flags)
{
	if (flags & ~EPOLL_CLOEXEC)
		return -EINVAL;
	return fs_install(epoll_create_file(), flags & EPOLL_CLOEXEC);
}

long kcall_epoll_create(int size)
{
	return size > 0 ? kcall_epoll_create1(0) : -EINVAL;
}

long kcall_epoll_ctl(int epfd, int op, int fd, const void *user)
{
	struct epoll_event64 ev = {0, 0};
	struct file *ep, *f;
	long r;

	if (op != EPOLL_CTL_DEL && copy_in(&ev, user, sizeof(ev)))
		return -EFAULT;
	ep = fd_get(epfd);
	f = fd_get(fd);
	if (!ep || !f)
		r = -EBADF;
	else if (!file_is_epoll(ep))
		r = -EINVAL;
	else
		r = epoll_control(ep, op, fd, f, &ev);
	if (ep)
		file_put(ep);
	if (f)
		file_put(f);
	return r;
}

static long epoll_call(int epfd, void *user, int max, uint64_t deadline)
{
	struct file *ep;
	long r;

	if (max <= 0 || max > INT32_MAX / (int)sizeof(struct epoll_event64))
		return -EINVAL;
	ep = fd_get(epfd);
	if (!ep)
		return -EBADF;
	r = file_is_epoll(ep) ? epoll_collect(ep, user, max, deadline)
			      : -EINVAL;
	file_put(ep);
	return r;
}

long kcall_epoll_wait(int epfd, void *events, int max, int ms)
{
	return epoll_call(epfd, events, max, deadline_of_ms(ms));
}

long kcall_epoll_pwait(
    int epfd, void *events, int max, int ms, const uint64_t *mask, size_t size)
{
	uint64_t saved;
	long r = mask_begin(mask, size, &saved);

	if (r)
		return r;
	r = epoll_call(epfd, events, max, deadline_of_ms(ms));
	mask_end(mask, saved, r);
	return r;
}

long kcall_epoll_pwait2(int epfd, void *events, int max,
    const struct __kernel_timespec *timeout, const uint64_t *mask, size_t size)
{
	uint64_t saved, ns, deadline = DEADLINE_NEVER;
	long r = 0;

	if (timeout) {
		r = timespec_import(timeout, &ns);
		deadline = r ? 0 : deadline_after(ns);
	}
	if (!r)
		r = mask_begin(mask, size, &saved);
	if (r)
		return r;
	r = epoll_call(epfd, events, max, deadline);
	mask_end(mask, saved, r);
	return r;
}

long kcall_eventfd2(unsigned count, int flags)
{
	if (flags & ~(O_CLOEXEC | O_NONBLOCK | EFD_SEMAPHORE))
		return -EINVAL;
	return fs_install(eventfd_create(count, flags & EFD_SEMAPHORE,
			      (unsigned)flags & O_NONBLOCK),
	    flags & O_CLOEXEC);
}

long kcall_eventfd(unsigned count)
{
	return kcall_eventfd2(count, 0);
}

long kcall_pipe2(int *user, int flags)
{
	struct file *f[2];
	int fd[2], err;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = pipe_create((unsigned)flags & O_NONBLOCK, f);
	if (err)
		return err;
	fd[0] = (int)fs_install(f[0], flags & O_CLOEXEC);
	if (fd[0] < 0) {
		file_put(f[1]);
		return fd[0];
	}
	fd[1] = (int)fs_install(f[1], flags & O_CLOEXEC);
	if (fd[1] >= 0 && !copy_out(user, fd, sizeof(fd)))
		return 0;
	(void)fd_close(fd[0]);
	if (fd[1] < 0)
		return fd[1];
	(void)fd_close(fd[1]);
	return -EFAULT;
}

long kcall_pipe(int *user)
{
	return kcall_pipe2(user, 0);
}

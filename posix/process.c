/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one process: identity, limits, and what asks about children.
 * It is pid 1, user 0, its own session and group leader, as in a container.
 */
#include <linux/prctl.h>
#include <linux/resource.h>
#include "kernel/fs/file.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/thread.h"
#include "posix/calls.h"

#define PID         1
#define FD_HARD_MAX 1048576u
#define STACK_LIMIT (8 * MIB)

struct rlimit64_pair {
	uint64_t cur, max;
};

long kcall_getpid(void)
{
	return PID;
}

long kcall_getppid(void)
{
	return 0;
}

long kcall_getuid(void)
{
	return 0;
}

long kcall_geteuid(void)
{
	return 0;
}

long kcall_getgid(void)
{
	return 0;
}

long kcall_getegid(void)
{
	return 0;
}

long kcall_getpgrp(void)
{
	return PID;
}

long kcall_getpgid(int pid)
{
	return pid == 0 || pid == PID ? PID : -ESRCH;
}

long kcall_getsid(int pid)
{
	return pid == 0 || pid == PID ? PID : -ESRCH;
}

long kcall_setpgid(int pid, int pgid)
{
	if (pgid < 0)
		return -EINVAL;
	if (pid != 0 && pid != PID)
		return -ESRCH;
	return -EPERM; /* a session leader stays in its group */
}

long kcall_setsid(void)
{
	return -EPERM; /* a group leader already */
}

long kcall_wait4(int pid, int *status, int options, void *rusage)
{
	(void)pid;
	(void)status;
	(void)rusage;
	return options & ~0xe000000f ? -EINVAL : -ECHILD;
}

long kcall_waitid(int type, int id, void *info, int options, void *rusage)
{
	(void)type;
	(void)id;
	(void)info;
	(void)rusage;
	return options & ~0xe100000f || !(options & 0xe) ? -EINVAL : -ECHILD;
}

static long limit_get(unsigned which, struct rlimit64_pair *l)
{
	*l = (struct rlimit64_pair){UINT64_MAX, UINT64_MAX};
	switch (which) {
	case RLIMIT_NOFILE:
		*l = (struct rlimit64_pair){fd_limit, FD_HARD_MAX};
		return 0;
	case RLIMIT_STACK:
		l->cur = STACK_LIMIT;
		return 0;
	case RLIMIT_CORE:
		l->cur = 0;
		return 0;
	}
	return which < RLIM_NLIMITS ? 0 : -EINVAL;
}

/* Only the number of descriptors can really be limited. */
static long limit_set(unsigned which, const struct rlimit64_pair *l)
{
	if (which >= RLIM_NLIMITS || l->cur > l->max)
		return -EINVAL;
	if (which != RLIMIT_NOFILE)
		return 0;
	if (l->cur > FD_HARD_MAX)
		return -EPERM;
	fd_limit = (unsigned)l->cur;
	return 0;
}

long kcall_prlimit64(int pid, unsigned which, const struct rlimit64_pair *new,
    struct rlimit64_pair *old)
{
	struct rlimit64_pair was, want;
	long err;

	if (pid != 0 && pid != PID)
		return -ESRCH;
	err = limit_get(which, &was);
	if (!err && new)
		err = copy_in(&want, new, sizeof(want))
			  ? -EFAULT
			  : limit_set(which, &want);
	if (!err && old)
		err = copy_out(old, &was, sizeof(was));
	return err;
}

long kcall_getrlimit(unsigned which, struct rlimit64_pair *old)
{
	return kcall_prlimit64(0, which, NULL, old);
}

long kcall_setrlimit(unsigned which, const struct rlimit64_pair *new)
{
	return kcall_prlimit64(0, which, new, NULL);
}

long kcall_prctl(
    int op, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	struct thread *t = thread_current();
	char name[16] = "";
	ssize_t n;

	(void)b, (void)c, (void)d;
	switch (op) {
	case PR_SET_NAME:
		n = copy_in_string(name, (void *)a, sizeof(name));
		if (n == -EFAULT)
			return n;
		name[15] = 0;
		memcpy(t->name, name, sizeof(name));
		return 0;
	case PR_GET_NAME:
		return copy_out((void *)a, t->name, sizeof(t->name));
	case PR_GET_DUMPABLE:
		return 1;
	case PR_SET_DUMPABLE:
		return a > 1 ? -EINVAL : 0;
	case PR_SET_NO_NEW_PRIVS:
		return a == 1 ? 0 : -EINVAL;
	case PR_GET_NO_NEW_PRIVS:
		return 1;
	}
	return -EINVAL;
}

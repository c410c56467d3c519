/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one process: its place among processes, and what asks about children.
 * It is number 2, its own session and group leader; number 1 is its parent,
 * an init that the kernel stands for (kernel/sched/process.h).
 *
 * A parent of 1 is what programs take for "already a daemon", which is right
 * for one that can't fork; none takes it for a parent that has died, as there
 * are no forked ones.
 */
#include "kernel/sched/creds.h"
#include "kernel/sched/process.h"
#include "posix/calls.h"
#include "posix/process.h"

bool process_may_touch_init(unsigned cap)
{
	return !creds.uid.effective || creds_capable(cap);
}

/* Both lead their session and group. */
static long leader_of(int pid)
{
	if (pid == PROCESS_INIT)
		return PROCESS_INIT;
	return pid == 0 || pid == PROCESS_PID ? PROCESS_PID : -ESRCH;
}

long kcall_getpid(void)
{
	return PROCESS_PID;
}

long kcall_getppid(void)
{
	return PROCESS_INIT;
}

long kcall_getpgrp(void)
{
	return PROCESS_PID;
}

long kcall_getpgid(int pid)
{
	return leader_of(pid);
}

long kcall_getsid(int pid)
{
	return leader_of(pid);
}

long kcall_setpgid(int pid, int pgid)
{
	if (pgid < 0)
		return -EINVAL;
	if (pid != 0 && pid != PROCESS_PID)
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
	return (unsigned)options & ~0xe000000fu ? -EINVAL : -ECHILD;
}

long kcall_waitid(int type, int id, void *info, int options, void *rusage)
{
	(void)type;
	(void)id;
	(void)info;
	(void)rusage;
	return (unsigned)options & ~0xe100000fu || !(options & 0xe) ? -EINVAL
								    : -ECHILD;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one process: its place among processes, and what asks about children.
 * It is pid 1, its own session and group leader, as in a container.
 */
#include "posix/calls.h"

#define PID 1

long kcall_getpid(void)
{
	return PID;
}

long kcall_getppid(void)
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

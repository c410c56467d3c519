/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scheduling of processes, in the place of musl's, which refuses: Linux's
 * calls are about threads.  Here a process's id is its first thread's, and
 * POSIX leaves threads of system scope alone, so the two agree.  Threads of
 * process scope (scope.c) follow what is set for the process.
 * sched_setscheduler() gives the former policy back, as POSIX says.
 */
#include <sched.h>
#include "syscall.h"

#define RESET_ON_FORK 0x40000000

long toril_sys_process_sched();

static void set_followers(pid_t pid)
{
	if (!pid || pid == __syscall(SYS_getpid))
		toril_sys_process_sched();
}

int sched_getscheduler(pid_t pid)
{
	return syscall(SYS_sched_getscheduler, pid);
}

int sched_setscheduler(pid_t pid, int policy, const struct sched_param *param)
{
	long was = __syscall(SYS_sched_getscheduler, pid), r;

	if (was < 0)
		return __syscall_ret(was);
	r = __syscall(SYS_sched_setscheduler, pid, policy, param);
	if (!r)
		set_followers(pid);
	return __syscall_ret(r < 0 ? r : was & ~RESET_ON_FORK);
}

int sched_getparam(pid_t pid, struct sched_param *param)
{
	return syscall(SYS_sched_getparam, pid, param);
}

int sched_setparam(pid_t pid, const struct sched_param *param)
{
	long r = __syscall(SYS_sched_setparam, pid, param);

	if (!r)
		set_followers(pid);
	return __syscall_ret(r);
}

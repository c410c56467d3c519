/* SPDX-License-Identifier: BSD-2-Clause */
/* needs root: process 1 is root's, and others can't touch it. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/posix/check.h"

static void as_root(void)
{
	int cpus[64], zero = 0;

	CHECK(!kill(1, 0));
	CHECK_ERR(kill(1, 99), EINVAL);
	CHECK(!syscall(SYS_tgkill, 1, 1, 0) && !syscall(SYS_tkill, 1, 0));
	CHECK_ERR(syscall(SYS_tgkill, getpid(), 1, 0), ESRCH);
	CHECK(getpgid(1) >= 0 && getsid(1) >= 0);
	errno = 0;
	CHECK(getpriority(PRIO_PROCESS, 1) >= -20 && !errno);
	CHECK(syscall(SYS_sched_getscheduler, 1) >= 0);
	CHECK(!syscall(SYS_sched_getparam, 1, &zero));
	CHECK(syscall(SYS_sched_getaffinity, 1, sizeof(cpus), cpus) > 0);
	CHECK_ERR(setpgid(1, 0), ESRCH);
}

static void as_another(void)
{
	int zero = 0, cpu[32] = {1};
	siginfo_t info = {.si_code = SI_QUEUE};

	CHECK(!setuid(1));
	CHECK_ERR(kill(1, 0), EPERM);
	CHECK_ERR(kill(1, SIGTERM), EPERM);
	CHECK_ERR(kill(1, 99), EINVAL);
	CHECK_ERR(syscall(SYS_tgkill, 1, 1, 0), EPERM);
	CHECK_ERR(sigqueue(1, SIGUSR1, (union sigval){0}), EPERM);
	CHECK_ERR(syscall(SYS_rt_sigqueueinfo, 1, SIGUSR1, &info), EPERM);
	CHECK_ERR(setpriority(PRIO_PROCESS, 1, 19), EPERM);
	CHECK_ERR(
	    syscall(SYS_sched_setscheduler, 1, SCHED_BATCH, &zero), EPERM);
	CHECK_ERR(syscall(SYS_sched_setparam, 1, &zero), EPERM);
	CHECK_ERR(syscall(SYS_sched_setaffinity, 1, sizeof(cpu), cpu), EPERM);
	CHECK_ERR(syscall(SYS_prlimit64, 1, RLIMIT_CORE, NULL, cpu), EPERM);
	CHECK(!kill(getpid(), 0) && !kill(-getpgrp(), 0) && !kill(0, 0));
	CHECK_ERR(killpg(99999, 0), ESRCH);
}

/* Without CAP_SYS_NICE nothing becomes more urgent. */
static void urgent(void)
{
	int one = 1, zero = 0;

	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &one), EPERM);
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, 99, &one), EINVAL);
	CHECK(!setpriority(PRIO_PROCESS, 0, 5));
	CHECK_ERR(setpriority(PRIO_PROCESS, 0, 4), EACCES);
	CHECK(!syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &zero));
	CHECK_ERR(
	    syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &zero), EPERM);
}

int main(void)
{
	as_root();
	as_another();
	urgent();
	return 0;
}

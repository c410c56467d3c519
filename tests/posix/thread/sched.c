/* SPDX-License-Identifier: BSD-2-Clause */
/* needs root: Scheduling parameters of threads: classes, priorities, nice,
 * limits. */
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/posix/check.h"

static void *with_attr(void *arg)
{
	struct sched_param p;
	int policy;

	CHECK(!pthread_getschedparam(pthread_self(), &policy, &p));
	CHECK(policy == SCHED_RR && p.sched_priority == 7);
	return arg;
}

static void attributes(void)
{
	struct sched_param p = {.sched_priority = 7};
	pthread_attr_t a;
	pthread_t t;

	pthread_attr_init(&a);
	CHECK(!pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED));
	CHECK(!pthread_attr_setschedpolicy(&a, SCHED_RR));
	CHECK(!pthread_attr_setschedparam(&a, &p));
	CHECK(!pthread_create(&t, &a, with_attr, NULL));
	CHECK(!pthread_join(t, NULL));
}

static void calls(void)
{
	struct sched_param p = {.sched_priority = 10};
	struct timespec slice;

	CHECK(sched_get_priority_max(SCHED_FIFO) == 99);
	CHECK(sched_get_priority_min(SCHED_RR) == 1);
	CHECK(sched_get_priority_max(SCHED_OTHER) == 0);
	CHECK_ERR(sched_get_priority_max(77), EINVAL);
	CHECK(syscall(SYS_sched_getscheduler, 0) == SCHED_OTHER);
	CHECK(!syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p));
	CHECK(syscall(SYS_sched_getscheduler, 0) == SCHED_FIFO);
	p.sched_priority = 0;
	CHECK(!syscall(SYS_sched_getparam, 0, &p) && p.sched_priority == 10);
	p.sched_priority = 100;
	CHECK_ERR(syscall(SYS_sched_setparam, 0, &p), EINVAL);
	p.sched_priority = 0;
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p), EINVAL);
	p.sched_priority = 1;
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p), EINVAL);
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, 77, &p), EINVAL);
	CHECK_ERR(syscall(SYS_sched_getscheduler, 987654), ESRCH);
	CHECK_ERR(syscall(SYS_sched_getscheduler, -1), EINVAL);
	CHECK(!sched_rr_get_interval(0, &slice));
	CHECK(slice.tv_sec == 0 && slice.tv_nsec == 0); /* FIFO */
	p.sched_priority = 0;
	CHECK(!syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p));
	p.sched_priority = 3;
	CHECK(!syscall(SYS_sched_setscheduler, 0, SCHED_RR, &p));
	CHECK(!sched_rr_get_interval(0, &slice));
	CHECK(slice.tv_nsec > 0);
	p.sched_priority = 0;
	CHECK(!syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p));
}

static void niceness(void)
{
	CHECK(getpriority(PRIO_PROCESS, 0) == 0);
	CHECK(!setpriority(PRIO_PROCESS, 0, 5));
	CHECK(getpriority(PRIO_PROCESS, 0) == 5);
	CHECK(!setpriority(PRIO_PROCESS, 0, -3));
	CHECK(getpriority(PRIO_PROCESS, 0) == -3);
	CHECK(nice(2) == -1);
	CHECK(!setpriority(PRIO_PROCESS, 0, 0));
	CHECK_ERR(setpriority(9, 0, 0), EINVAL);
	CHECK_ERR(setpriority(PRIO_PROCESS, 987654, 0), ESRCH);
}

int main(void)
{
	cpu_set_t set;

	calls();
	attributes();
	niceness();
	CHECK(!sched_getaffinity(0, sizeof(set), &set));
	CHECK(CPU_COUNT(&set) >= 1);
	CHECK(!sched_setaffinity(0, sizeof(set), &set));
	CPU_ZERO(&set);
	CHECK_ERR(sched_setaffinity(0, sizeof(set), &set), EINVAL);
	CHECK(sched_getcpu() >= 0);
	return 0;
}

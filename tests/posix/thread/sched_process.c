/* SPDX-License-Identifier: BSD-2-Clause */
/* toril only: sched_setscheduler() and its kin, which musl refuses on Linux.
 *
 * The policy and priority of the process, which threads of process scope
 * follow, and no others. */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>
#include "tests/posix/check.h"

static void *waits(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static int prio_of(pthread_t t)
{
	struct sched_param p;
	int policy;

	CHECK(!pthread_getschedparam(t, &policy, &p));
	return p.sched_priority;
}

static void scopes(void)
{
	struct sched_param p = {.sched_priority = 5};
	pthread_attr_t a;
	pthread_t of_system, of_process, later;
	int scope = 9;

	CHECK(!pthread_attr_init(&a));
	CHECK(!pthread_attr_getscope(&a, &scope));
	CHECK(scope == PTHREAD_SCOPE_SYSTEM);
	CHECK(pthread_attr_setscope(&a, 7) == EINVAL);
	CHECK(!pthread_create(&of_system, &a, waits, NULL));
	CHECK(!pthread_attr_setscope(&a, PTHREAD_SCOPE_PROCESS));
	CHECK(!pthread_attr_getscope(&a, &scope));
	CHECK(scope == PTHREAD_SCOPE_PROCESS);
	CHECK(!pthread_create(&of_process, &a, waits, NULL));
	CHECK(!sched_setscheduler(getpid(), SCHED_FIFO, &p));
	CHECK(prio_of(of_process) == 5 && prio_of(of_system) == 0);
	p.sched_priority = 6;
	CHECK(!sched_setparam(getpid(), &p));
	CHECK(prio_of(of_process) == 6 && prio_of(of_system) == 0);
	CHECK(!pthread_create(&later, &a, waits, NULL));
	CHECK(prio_of(later) == 6);
	p.sched_priority = 0;
	CHECK(sched_setscheduler(0, SCHED_OTHER, &p) == SCHED_FIFO);
	CHECK(prio_of(of_process) == 0 && prio_of(later) == 0);
}

int main(void)
{
	struct sched_param p = {.sched_priority = 3};

	CHECK(sched_getscheduler(0) == SCHED_OTHER);
	CHECK(sched_setscheduler(getpid(), SCHED_RR, &p) == SCHED_OTHER);
	CHECK(sched_getscheduler(getpid()) == SCHED_RR);
	p.sched_priority = 0;
	CHECK(!sched_getparam(0, &p) && p.sched_priority == 3);
	p.sched_priority = 9;
	CHECK(!sched_setparam(0, &p));
	p.sched_priority = 0;
	CHECK(!sched_getparam(0, &p) && p.sched_priority == 9);
	CHECK_ERR(
	    sched_setparam(0, &(struct sched_param){.sched_priority = 100}),
	    EINVAL);
	CHECK_ERR(sched_getscheduler(-1), EINVAL);
	CHECK_ERR(sched_getparam(99999, &p), ESRCH);
	CHECK_ERR(sched_setscheduler(99999, SCHED_RR, &p), ESRCH);
	p.sched_priority = 0;
	CHECK(sched_setscheduler(0, SCHED_OTHER, &p) == SCHED_RR);
	scopes();
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* toril only: sched_setscheduler() and its kin, which musl refuses on Linux.
 *
 * The policy and priority of the process. */
#include <sched.h>
#include <unistd.h>
#include "tests/posix/check.h"

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
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* toril only: RLIMIT_RTPRIO and RLIMIT_NICE bind who lacks CAP_SYS_NICE.
 *
 * Where Linux is a container root may not raise them. */
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/posix/check.h"

static void limited(void)
{
	struct rlimit prio = {3, 3}, nice = {25, 25}; /* to nice -5 */

	CHECK(!setrlimit(RLIMIT_RTPRIO, &prio));
	CHECK(!setrlimit(RLIMIT_NICE, &nice));
}

static void allowed(void)
{
	int three = 3, four = 4, zero = 0;

	CHECK(!syscall(SYS_sched_setscheduler, 0, SCHED_RR, &three));
	CHECK_ERR(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &four), EPERM);
	CHECK(!syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &zero));
	CHECK(!setpriority(PRIO_PROCESS, 0, -5));
	CHECK_ERR(setpriority(PRIO_PROCESS, 0, -6), EACCES);
}

int main(void)
{
	limited();
	CHECK(!setuid(1));
	allowed();
	return 0;
}

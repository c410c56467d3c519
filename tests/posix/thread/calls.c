/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls about threads that the library does not wrap, or not simply. */
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/posix/check.h"

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

int main(void)
{
	struct attr a = {.size = sizeof(a), .nice = 4};
	unsigned cpu = 9999, node = 9999;
	siginfo_t info = {.si_code = SI_QUEUE, .si_value.sival_int = 12}, got;
	void *head = NULL;
	size_t len = 0;
	sigset_t set;
	pid_t tid = (pid_t)syscall(SYS_gettid);

	CHECK(tid == getpid());
	CHECK(!syscall(SYS_get_robust_list, 0, &head, &len));
	CHECK(len == 24);
	CHECK(!syscall(SYS_getcpu, &cpu, &node, NULL));
	CHECK(cpu < 4096 && node < 64);
	CHECK(!syscall(SYS_sched_setattr, 0, &a, 0));
	memset(&a, 0, sizeof(a));
	CHECK(!syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0));
	CHECK(a.size >= 48 && a.nice == 4 && a.policy == SCHED_OTHER);
	CHECK_ERR(syscall(SYS_sched_getattr, 0, &a, 8, 0), EINVAL);
	CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0) > 0);
	CHECK(!syscall(
	    SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0));
	CHECK(!syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
	CHECK_ERR(syscall(SYS_membarrier, 1 << 20, 0), EINVAL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(!syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, SIGUSR1, &info));
	CHECK(sigwaitinfo(&set, &got) == SIGUSR1);
	CHECK(got.si_code == SI_QUEUE && got.si_value.sival_int == 12);
	return 0;
}

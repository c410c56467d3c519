/* SPDX-License-Identifier: BSD-2-Clause */
/* Where threads may run: a thread goes where its mask says before the call
 * returns, hands its mask on, and is told what is wrong with a mask. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/posix/check.h"

static cpu_set_t had; /* at the start: not all CPUs need be ours */
static atomic_int where = -1;
static atomic_bool over;

static void pin(pthread_t t, int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	CHECK(!pthread_setaffinity_np(t, sizeof(one), &one));
}

static void *inherits(void *arg)
{
	cpu_set_t mine;

	CHECK(!pthread_getaffinity_np(pthread_self(), sizeof(mine), &mine));
	CHECK(CPU_COUNT(&mine) == 1 && CPU_ISSET((size_t)(long)arg, &mine));
	CHECK(sched_getcpu() == (int)(long)arg);
	return NULL;
}

static void *tells(void *arg)
{
	while (!over)
		where = sched_getcpu();
	return arg;
}

static void each(void)
{
	pthread_t t;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET((size_t)cpu, &had))
			continue;
		pin(pthread_self(), cpu);
		for (int i = 0; i < 1000; i++)
			CHECK(sched_getcpu() == cpu);
		CHECK(!pthread_create(&t, NULL, inherits, (void *)(long)cpu));
		CHECK(!pthread_join(t, NULL));
	}
	CHECK(!sched_setaffinity(0, sizeof(had), &had));
}

/* One that runs is moved by another. */
static void moved(void)
{
	pthread_t t;

	CHECK(!pthread_create(&t, NULL, tells, NULL));
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET((size_t)cpu, &had))
			continue;
		pin(t, cpu);
		while (where != cpu)
			sched_yield();
	}
	over = true;
	CHECK(!pthread_join(t, NULL));
}

static void refused(void)
{
	unsigned long none[16] = {0}, far[16] = {0};
	cpu_set_t set;

	far[15] = 1ul << 63;
	CHECK_ERR(
	    syscall(SYS_sched_setaffinity, 0, sizeof(none), none), EINVAL);
	CHECK_ERR(syscall(SYS_sched_setaffinity, 0, sizeof(far), far), EINVAL);
	CHECK_ERR(syscall(SYS_sched_setaffinity, 0, 0, &set), EINVAL);
	CHECK_ERR(
	    syscall(SYS_sched_setaffinity, 0, sizeof(set), (void *)8), EFAULT);
	CHECK_ERR(
	    syscall(SYS_sched_setaffinity, 987654, sizeof(had), &had), ESRCH);
	CHECK_ERR(syscall(SYS_sched_getaffinity, 0, 4, &set), EINVAL);
	CHECK_ERR(syscall(SYS_sched_getaffinity, 0, 13, &set), EINVAL);
	CHECK_ERR(
	    syscall(SYS_sched_getaffinity, 987654, sizeof(set), &set), ESRCH);
	CHECK_ERR(
	    syscall(SYS_sched_getaffinity, 0, sizeof(set), (void *)8), EFAULT);
}

int main(void)
{
	CHECK(!sched_getaffinity(0, sizeof(had), &had));
	CHECK(CPU_COUNT(&had) >= 1);
	CHECK(CPU_COUNT(&had) == sysconf(_SC_NPROCESSORS_ONLN));
	each();
	moved();
	refused();
	return 0;
}

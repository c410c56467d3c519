/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread that wakes does not wait for the turn of one that has had its own
 * while nobody else wanted the CPU, not even if that one computes without ever
 * calling the kernel.  What it computes after the moment at which the other
 * should run is counted, and not the time, in which the host may do something
 * else. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>
#include "tests/posix/check.h"

#define TRIES 30
#define NSEC  1000000000l

static atomic_bool over;
static atomic_ulong due; /* by the TSC */
static unsigned long before, after;

static void *compute(void *arg)
{
	while (!over)
		(__builtin_ia32_rdtsc() < due ? &before : &after)[0]++;
	return arg;
}

static long now(void)
{
	struct timespec t;

	CHECK(!clock_gettime(CLOCK_MONOTONIC, &t));
	return t.tv_sec * NSEC + t.tv_nsec;
}

/* TSC ticks in that many nanoseconds. */
static unsigned long ticks(long ns)
{
	unsigned long start = __builtin_ia32_rdtsc();
	long from = now(), took;

	while ((took = now() - from) < ns)
		;
	return (__builtin_ia32_rdtsc() - start) * (unsigned long)ns /
	       (unsigned long)took;
}

int main(void)
{
	struct timespec t = {0, NSEC / 40}; /* more than a turn */
	unsigned long sleep = ticks(t.tv_nsec);
	pthread_t thread;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	CHECK(!sched_setaffinity(0, sizeof(set), &set));
	CHECK(!pthread_create(&thread, NULL, compute, NULL));
	for (int i = 0; i < TRIES; i++) {
		due = __builtin_ia32_rdtsc() + sleep;
		CHECK(!nanosleep(&t, NULL));
	}
	over = true;
	CHECK(!pthread_join(thread, NULL));
	CHECK(after < before / 8);
	return 0;
}

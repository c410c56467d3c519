/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread that wakes does not wait for the turn of one that has had its own
 * while nobody else wanted the CPU, even if that one computes on.  What it
 * computes after it has woken the other is counted, and not the time, in which
 * the host may do something else; where that ends the other's turn, it is late
 * the next time. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define TRIES 20
#define NSEC  1000000000l
#define TURN  (NSEC / 25) /* more than any */

static atomic_int woken;
static unsigned long turn; /* in ticks of the TSC */
static int late;
static int fd[2];

static void *compute(void *arg)
{
	for (int i = 0; i < TRIES; i++) {
		unsigned long start = __builtin_ia32_rdtsc();
		unsigned long before = 0, after = 0;
		while (__builtin_ia32_rdtsc() - start < turn)
			before++;
		CHECK(write(fd[1], "", 1) == 1);
		while (woken <= i) {
			(void)__builtin_ia32_rdtsc(); /* as slow as above */
			after++;
		}
		late += after > before / 8;
	}
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
	pthread_t thread;
	cpu_set_t set;
	char c;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	CHECK(!sched_setaffinity(0, sizeof(set), &set));
	turn = ticks(TURN);
	CHECK(!pipe(fd));
	CHECK(!pthread_create(&thread, NULL, compute, NULL));
	for (int i = 0; i < TRIES; i++) {
		CHECK(read(fd[0], &c, 1) == 1);
		woken++;
	}
	CHECK(!pthread_join(thread, NULL));
	CHECK(late < TRIES / 2); /* the host may stop any of the two */
	return 0;
}

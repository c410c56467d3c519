/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks go on and never back; sleeping takes at least what was asked. */
#include <pthread.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

static long long now(clockid_t clock)
{
	struct timespec t;

	CHECK(clock_gettime(clock, &t) == 0);
	CHECK(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static long long used;

static void *busy(void *arg)
{
	for (volatile int i = 0; i < 20000000; i++)
		;
	used = now(CLOCK_THREAD_CPUTIME_ID);
	return arg;
}

int main(void)
{
	pthread_t thread;
	struct timespec t = {0, 20000000}, rest = {1, 1};
	long long start = now(CLOCK_MONOTONIC), last = start, cpu;
	struct timeval tv;

	for (int i = 0; i < 100000; i++) {
		long long n = now(CLOCK_MONOTONIC);
		CHECK(n >= last);
		last = n;
	}
	start = now(CLOCK_MONOTONIC);
	CHECK(nanosleep(&t, &rest) == 0);
	CHECK(now(CLOCK_MONOTONIC) - start >= 20000000);
	start = now(CLOCK_MONOTONIC);
	CHECK(usleep(15000) == 0);
	CHECK(now(CLOCK_MONOTONIC) - start >= 15000000);
	/* Until a time that has come, and one that comes. */
	t = (struct timespec){1, 0};
	CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL) == 0);
	start = now(CLOCK_MONOTONIC) + 10000000;
	t = (struct timespec){start / 1000000000, start % 1000000000};
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == 0);
	CHECK(now(CLOCK_MONOTONIC) >= start);
	/* After 2025, and the three ways to ask agree. */
	CHECK(time(NULL) > 1735689600);
	CHECK(gettimeofday(&tv, NULL) == 0);
	CHECK(now(CLOCK_REALTIME) / 1000000000 - tv.tv_sec <= 1);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	for (volatile int i = 0; i < 3000000; i++)
		;
	CHECK(now(CLOCK_PROCESS_CPUTIME_ID) > cpu);
	/* What a thread has used is not lost with it. */
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	CHECK(!pthread_create(&thread, NULL, busy, NULL));
	CHECK(!pthread_join(thread, NULL));
	CHECK(now(CLOCK_PROCESS_CPUTIME_ID) - cpu >= used);
	CHECK(now(CLOCK_THREAD_CPUTIME_ID) > 0);
	CHECK(clock_getres(CLOCK_MONOTONIC, &t) == 0);
	CHECK(t.tv_sec == 0 && t.tv_nsec > 0);
	CHECK_ERR(clock_gettime(99, &t), EINVAL);
	t = (struct timespec){0, 1000000000};
	CHECK_ERR(nanosleep(&t, NULL), EINVAL);
	return 0;
}

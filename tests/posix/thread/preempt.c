/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread that wakes does not wait for the turn of one that has had its own
 * while nobody else wanted the CPU. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define TRIES 10
#define TURN  30000000l /* ns; no turn is that long */

static int fds[2];
static atomic_int seen;

static void *reader(void *arg)
{
	char c;

	while (read(fds[0], &c, 1) == 1)
		seen++;
	return arg;
}

static long now(void)
{
	struct timespec t;

	CHECK(!clock_gettime(CLOCK_MONOTONIC, &t));
	return t.tv_sec * 1000000000l + t.tv_nsec;
}

/* How much is computed in TURN, and then until the reader has run. */
static void attempt(int n, long *turn, long *late)
{
	long end = now() + TURN;

	for (; now() < end; ++*turn)
		;
	CHECK(write(fds[1], "x", 1) == 1);
	for (; seen == n; ++*late)
		(void)now();
}

int main(void)
{
	long turn = 0, late = 0;
	pthread_t thread;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	CHECK(!sched_setaffinity(0, sizeof(set), &set));
	CHECK(!pipe(fds));
	CHECK(!pthread_create(&thread, NULL, reader, NULL));
	for (int i = 0; i < TRIES; i++)
		attempt(i, &turn, &late);
	CHECK(!close(fds[1]));
	CHECK(!pthread_join(thread, NULL));
	CHECK(late < turn / 10);
	return 0;
}

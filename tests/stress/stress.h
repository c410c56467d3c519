/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For stress programs: `PROGRAM [SEED [SECONDS]]`.  What is random follows
 * from the seed; a failure prints how to repeat the run.  stress_main() calls
 * round() until the time is over, prints how many rounds there were, and ends
 * with 0.  A watchdog ends a run that hangs.
 */
#ifndef TORIL_TESTS_STRESS_STRESS_H
#define TORIL_TESTS_STRESS_STRESS_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned long stress_seed;
static unsigned stress_seconds;
static const char *stress_name;
static atomic_ulong stress_rounds;

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond))                                                   \
			stress_fail(__FILE__, __LINE__, #cond);                \
	} while (0)

static inline void stress_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s (errno: %s)\nround %lu; again: %s %lu %u\n",
	    file, line, what, strerror(errno), stress_rounds, stress_name,
	    stress_seed, stress_seconds);
	_Exit(99);
}

/* xorshift64*: one state per thread, from stress_random_init(). */
static inline uint32_t stress_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)(*state * 0x2545f4914f6cdd1dull >> 32);
}

static inline uint64_t stress_random_init(unsigned long who)
{
	uint64_t s = (stress_seed + 1) * 0x9e3779b97f4a7c15ull + who;

	s ^= s >> 29;
	return s ? s : 1;
}

static inline double stress_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline pthread_t stress_thread(void *(*fn)(void *), long arg)
{
	pthread_t t;

	CHECK(!pthread_create(&t, NULL, fn, (void *)arg));
	return t;
}

/* Looks every second; two minutes without a round are a hang. */
static inline void *stress_watch(void *arg)
{
	unsigned long last = 0;
	sigset_t all;
	int same = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (;;) {
		sleep(1);
		same = last == stress_rounds ? same + 1 : 0;
		last = stress_rounds;
		if (same == 120)
			stress_fail(__FILE__, __LINE__, "it hangs");
	}
	return arg;
}

static inline int stress_main(
    int argc, char **argv, void (*round)(unsigned long n))
{
	double end;
	pthread_t watch;

	stress_name = argv[0];
	stress_seed = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	stress_seconds = argc > 2 ? (unsigned)atoi(argv[2]) : 2;
	end = stress_now() + stress_seconds;
	CHECK(!pthread_create(&watch, NULL, stress_watch, NULL));
	do {
		round(stress_rounds);
		stress_rounds++;
	} while (stress_now() < end);
	printf("%s: %lu rounds\n", stress_name, stress_rounds);
	fflush(stdout);
	_Exit(0);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads created by threads, joined, detached and cancelled. */
#include <semaphore.h>
#include "tests/stress/stress.h"

#define WIDE 6

static atomic_long alive, done;
static sem_t detached;

static void *leaf(void *arg)
{
	long n = (long)arg;
	volatile char stack[2000];

	alive++;
	memset((char *)stack, (int)n, sizeof(stack));
	if (n & 1)
		sched_yield();
	CHECK(stack[n % 2000] == (char)n);
	alive--;
	done++;
	return (void *)(n + 7);
}

static void *gone(void *arg)
{
	leaf(arg);
	CHECK(!sem_post(&detached));
	return NULL;
}

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *branch(void *arg)
{
	uint64_t r = stress_random_init((unsigned long)arg);
	pthread_t t[WIDE];
	void *v;

	for (long i = 0; i < WIDE; i++)
		t[i] = stress_thread(leaf, i + (long)arg);
	for (long i = WIDE - 1; i >= 0; i--) {
		CHECK(!pthread_join(t[i], &v));
		CHECK((long)v == i + (long)arg + 7);
	}
	t[0] = stress_thread(sleeper, 0);
	if (stress_random(&r) & 1)
		sched_yield();
	CHECK(!pthread_cancel(t[0]));
	CHECK(!pthread_join(t[0], &v));
	CHECK(v == PTHREAD_CANCELED);
	t[0] = stress_thread(gone, 3);
	CHECK(!pthread_detach(t[0]));
	return NULL;
}

static void round_(unsigned long n)
{
	pthread_t t[4];

	done = 0;
	for (long i = 0; i < 4; i++)
		t[i] = stress_thread(branch, (long)(n % 1000) * 4 + i);
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_join(t[i], NULL));
	for (int i = 0; i < 4; i++)
		while (sem_wait(&detached))
			CHECK(errno == EINTR);
	CHECK(done == 4 * (WIDE + 1));
	CHECK(alive == 0);
}

int main(int argc, char **argv)
{
	CHECK(!sem_init(&detached, 0, 0));
	return stress_main(argc, argv, round_);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Sleeping threads cost a spinning one nothing, and spinners share. */
#include <pthread.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

static int stop, slept;
static long turns[3];

static void *spin(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		turns[(long)arg]++;
	return NULL;
}

static void *sleeper(void *arg)
{
	struct timespec t = {0, 5000000 + (long)arg * 100000};

	CHECK(nanosleep(&t, NULL) == 0);
	__atomic_add_fetch(&slept, 1, __ATOMIC_RELAXED);
	return NULL;
}

int main(void)
{
	pthread_t spinner[3], t[50];

	for (long i = 0; i < 3; i++)
		CHECK(!pthread_create(&spinner[i], NULL, spin, (void *)i));
	for (long i = 0; i < 50; i++)
		CHECK(!pthread_create(&t[i], NULL, sleeper, (void *)i));
	for (int i = 0; i < 50; i++)
		CHECK(!pthread_join(t[i], NULL));
	CHECK(slept == 50);
	/* Nobody starves, however few the CPUs. */
	for (int i = 0; i < 3; i++)
		while (!__atomic_load_n(&turns[i], __ATOMIC_RELAXED))
			usleep(1000);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 3; i++)
		CHECK(!pthread_join(spinner[i], NULL));
	return 0;
}

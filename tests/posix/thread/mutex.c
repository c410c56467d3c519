/* SPDX-License-Identifier: BSD-2-Clause */
/* A counter under a mutex; error checking, recursive and timed ones. */
#include <pthread.h>
#include <time.h>
#include "tests/posix/check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void *count(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static pthread_mutex_t typed(int type)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t m;

	CHECK(!pthread_mutexattr_init(&attr));
	CHECK(!pthread_mutexattr_settype(&attr, type));
	CHECK(!pthread_mutex_init(&m, &attr));
	return m;
}

static void *try_it(void *m)
{
	struct timespec soon;

	CHECK(pthread_mutex_trylock(m) == EBUSY);
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += 20000000;
	if (soon.tv_nsec >= 1000000000)
		soon.tv_sec++, soon.tv_nsec -= 1000000000;
	CHECK(pthread_mutex_timedlock(m, &soon) == ETIMEDOUT);
	CHECK(pthread_mutex_unlock(m) == EPERM);
	return NULL;
}

int main(void)
{
	pthread_mutex_t check = typed(PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_t again = typed(PTHREAD_MUTEX_RECURSIVE);
	pthread_t t[8];

	for (int i = 0; i < 8; i++)
		CHECK(!pthread_create(&t[i], NULL, count, NULL));
	for (int i = 0; i < 8; i++)
		CHECK(!pthread_join(t[i], NULL));
	CHECK(counter == 160000);
	CHECK(!pthread_mutex_lock(&check));
	CHECK(pthread_mutex_lock(&check) == EDEADLK);
	CHECK(!pthread_create(&t[0], NULL, try_it, &check));
	CHECK(!pthread_join(t[0], NULL));
	CHECK(!pthread_mutex_unlock(&check));
	CHECK(!pthread_mutex_lock(&again) && !pthread_mutex_lock(&again));
	CHECK(!pthread_mutex_unlock(&again) && !pthread_mutex_unlock(&again));
	return 0;
}

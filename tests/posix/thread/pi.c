/* SPDX-License-Identifier: BSD-2-Clause */
/* PI mutexes: contention, time-outs, errors, robustness. */
#include <pthread.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define THREADS 4
#define ROUNDS  500

static pthread_mutex_t m;
static long counter;

static void *worker(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		CHECK(!pthread_mutex_lock(&m));
		long was = counter;
		if (i % 16 == 0)
			sched_yield();
		counter = was + 1;
		CHECK(!pthread_mutex_unlock(&m));
	}
	return arg;
}

static void *dies(void *arg)
{
	CHECK(!pthread_mutex_lock(arg));
	return NULL;
}

static void *times_out(void *arg)
{
	struct timespec until;

	CHECK(pthread_mutex_trylock(arg) == EBUSY);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 20000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	CHECK(pthread_mutex_timedlock(arg, &until) == ETIMEDOUT);
	CHECK(pthread_mutex_unlock(arg) == EPERM);
	return NULL;
}

static void mutex_make(pthread_mutex_t *to, int type, int robust)
{
	pthread_mutexattr_t a;
	int protocol;

	pthread_mutexattr_init(&a);
	CHECK(!pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT));
	CHECK(!pthread_mutexattr_getprotocol(&a, &protocol));
	CHECK(protocol == PTHREAD_PRIO_INHERIT);
	CHECK(!pthread_mutexattr_settype(&a, type));
	CHECK(!pthread_mutexattr_setrobust(&a, robust));
	CHECK(!pthread_mutex_init(to, &a));
}

static int waiters;

static void *waits(void *arg)
{
	int err;

	__atomic_add_fetch(&waiters, 1, __ATOMIC_SEQ_CST);
	err = pthread_mutex_lock(arg);
	CHECK(err == 0 || err == EOWNERDEAD);
	if (err)
		CHECK(!pthread_mutex_consistent(arg));
	CHECK(!pthread_mutex_unlock(arg));
	return err ? arg : NULL;
}

/* It ends while others wait for what it holds. */
static void *dies_awaited(void *arg)
{
	CHECK(!pthread_mutex_lock(arg));
	__atomic_add_fetch(&waiters, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&waiters, __ATOMIC_SEQ_CST) < THREADS)
		sched_yield();
	usleep(10000); /* they are in the kernel, most likely */
	return NULL;
}

static void bereaved(void)
{
	pthread_t t[THREADS];
	pthread_mutex_t robust;
	void *result;
	int told = 0;

	waiters = 0;
	mutex_make(&robust, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
	CHECK(!pthread_create(&t[0], NULL, dies_awaited, &robust));
	while (!__atomic_load_n(&waiters, __ATOMIC_SEQ_CST))
		sched_yield();
	for (int i = 1; i < THREADS; i++)
		CHECK(!pthread_create(&t[i], NULL, waits, &robust));
	for (int i = 0; i < THREADS; i++) {
		CHECK(!pthread_join(t[i], &result));
		told += result != NULL;
	}
	CHECK(told == 1);
}

int main(void)
{
	pthread_t t[THREADS];
	pthread_mutex_t checked, robust;

	mutex_make(&m, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED);
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&t[i], NULL, worker, NULL));
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(t[i], NULL));
	CHECK(counter == THREADS * ROUNDS);

	mutex_make(&checked, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED);
	CHECK(!pthread_mutex_lock(&checked));
	CHECK(pthread_mutex_lock(&checked) == EDEADLK);
	CHECK(!pthread_create(&t[0], NULL, times_out, &checked));
	CHECK(!pthread_join(t[0], NULL));
	CHECK(!pthread_mutex_unlock(&checked));

	mutex_make(&robust, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
	CHECK(!pthread_create(&t[0], NULL, dies, &robust));
	CHECK(!pthread_join(t[0], NULL));
	CHECK(pthread_mutex_lock(&robust) == EOWNERDEAD);
	CHECK(!pthread_mutex_consistent(&robust));
	CHECK(!pthread_mutex_unlock(&robust));
	CHECK(!pthread_mutex_lock(&robust));
	CHECK(!pthread_mutex_unlock(&robust));
	bereaved();
	return 0;
}

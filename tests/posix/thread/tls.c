/* SPDX-License-Identifier: BSD-2-Clause */
/* Thread-local storage and keys with destructors. */
#include <pthread.h>
#include "tests/posix/check.h"

static __thread long zero;
static __thread long initial = 42;
static __thread char big[3000] __attribute__((aligned(64)));
static pthread_key_t key;
static long destroyed;

static void destroy(void *value)
{
	__atomic_add_fetch(&destroyed, (long)value, __ATOMIC_RELAXED);
}

static void *work(void *arg)
{
	long me = (long)arg;

	CHECK(zero == 0 && initial == 42 && big[2999] == 0);
	CHECK(((unsigned long)big & 63) == 0);
	CHECK(!pthread_setspecific(key, arg));
	for (int i = 0; i < 1000; i++) {
		zero += me;
		initial -= me;
		big[i] = (char)me;
		if (i % 100 == 0)
			sched_yield();
	}
	CHECK(zero == 1000 * me && initial == 42 - 1000 * me);
	CHECK(pthread_getspecific(key) == arg);
	errno = (int)me;
	sched_yield();
	CHECK(errno == (int)me);
	return NULL;
}

int main(void)
{
	pthread_t t[50];

	CHECK(!pthread_key_create(&key, destroy));
	for (long i = 0; i < 50; i++)
		CHECK(!pthread_create(&t[i], NULL, work, (void *)(i + 1)));
	for (int i = 0; i < 50; i++)
		CHECK(!pthread_join(t[i], NULL));
	CHECK(destroyed == 50 * 51 / 2);
	CHECK(zero == 0 && initial == 42);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A thousand detached threads, a few alive at a time: stacks come back. */
#include <pthread.h>
#include <semaphore.h>
#include "tests/posix/check.h"

static sem_t slots;
static int ran;

static void *work(void *arg)
{
	char big[30000];

	(void)arg;
	memset(big, 1, sizeof(big));
	__atomic_add_fetch(&ran, big[17], __ATOMIC_RELAXED);
	sem_post(&slots);
	return NULL;
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t t;

	CHECK(!sem_init(&slots, 0, 8));
	CHECK(!pthread_attr_init(&attr));
	CHECK(!pthread_attr_setstacksize(&attr, 65536));
	CHECK(!pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
	for (int i = 0; i < 1000; i++) {
		CHECK(!sem_wait(&slots));
		CHECK(!pthread_create(&t, &attr, work, NULL));
	}
	for (int i = 0; i < 8; i++)
		CHECK(!sem_wait(&slots));
	CHECK(ran == 1000);
	return 0;
}

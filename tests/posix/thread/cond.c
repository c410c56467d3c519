/* SPDX-License-Identifier: BSD-2-Clause */
/* Condition variables: a bounded buffer, broadcast, time-out. */
#include <pthread.h>
#include <time.h>
#include "tests/posix/check.h"

#define N     20000
#define SLOTS 4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static int slot[SLOTS], used, in, out, waiting, go;

static void *produce(void *arg)
{
	(void)arg;
	for (int i = 0; i < N; i++) {
		pthread_mutex_lock(&lock);
		while (used == SLOTS)
			pthread_cond_wait(&not_full, &lock);
		slot[in++ % SLOTS] = i;
		used++;
		pthread_cond_signal(&not_empty);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *wait_for_go(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	waiting++;
	pthread_cond_signal(&not_full);
	while (!go)
		pthread_cond_wait(&not_empty, &lock);
	waiting--;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void time_out(void)
{
	pthread_condattr_t attr;
	pthread_cond_t never;
	struct timespec t, now;
	int ret;

	CHECK(!pthread_condattr_init(&attr));
	CHECK(!pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
	CHECK(!pthread_cond_init(&never, &attr));
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += 30000000;
	if (t.tv_nsec >= 1000000000)
		t.tv_sec++, t.tv_nsec -= 1000000000;
	pthread_mutex_lock(&lock);
	do
		ret = pthread_cond_timedwait(&never, &lock, &t);
	while (!ret);
	pthread_mutex_unlock(&lock);
	CHECK(ret == ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &now);
	CHECK(now.tv_sec > t.tv_sec ||
	      (now.tv_sec == t.tv_sec && now.tv_nsec >= t.tv_nsec));
}

int main(void)
{
	pthread_t t[20];

	CHECK(!pthread_create(&t[0], NULL, produce, NULL));
	for (int i = 0; i < N; i++) {
		pthread_mutex_lock(&lock);
		while (!used)
			pthread_cond_wait(&not_empty, &lock);
		CHECK(slot[out++ % SLOTS] == i);
		used--;
		pthread_cond_signal(&not_full);
		pthread_mutex_unlock(&lock);
	}
	CHECK(!pthread_join(t[0], NULL));
	for (int i = 0; i < 20; i++)
		CHECK(!pthread_create(&t[i], NULL, wait_for_go, NULL));
	pthread_mutex_lock(&lock);
	while (waiting < 20)
		pthread_cond_wait(&not_full, &lock);
	go = 1;
	pthread_cond_broadcast(&not_empty);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 20; i++)
		CHECK(!pthread_join(t[i], NULL));
	CHECK(waiting == 0);
	time_out();
	return 0;
}

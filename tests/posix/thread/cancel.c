/* SPDX-License-Identifier: BSD-2-Clause */
/* Cancellation: in a blocking call, deferred, disabled, asynchronous. */
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>
#include "tests/posix/check.h"

static sem_t ready;
static int pipes[2], cleaned;

static void clean(void *arg)
{
	cleaned += *(int *)arg;
}

static void *blocked(void *arg)
{
	int one = 1;
	char c;

	(void)arg;
	pthread_cleanup_push(clean, &one);
	sem_post(&ready);
	CHECK(read(pipes[0], &c, 1) >= 0);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *disabled(void *arg)
{
	int one = 1, old;

	(void)arg;
	pthread_cleanup_push(clean, &one);
	CHECK(!pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old));
	sem_post(&ready);
	for (int i = 0; i < 10; i++)
		usleep(1000);
	CHECK(!pthread_setcancelstate(old, NULL));
	pthread_testcancel();
	for (;;)
		pause();
	pthread_cleanup_pop(0);
	return NULL;
}

static void *spinning(void *arg)
{
	(void)arg;
	CHECK(!pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL));
	sem_post(&ready);
	for (;;)
		;
	return NULL;
}

static void *ended(void *arg)
{
	sem_post(&ready);
	return arg;
}

/* However often it is told. */
static void *busy(void *arg)
{
	sem_post(&ready);
	CHECK(!sem_wait(arg));
	return NULL;
}

static void *deaf(void *arg)
{
	int old;

	CHECK(!pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old));
	return busy(arg);
}

static void many_times(void)
{
	sem_t go;
	pthread_t t;
	void *result;

	CHECK(!sem_init(&go, 0, 0));
	CHECK(!pthread_create(&t, NULL, deaf, &go));
	CHECK(!sem_wait(&ready));
	for (int i = 0; i < 10000; i++)
		CHECK(!pthread_cancel(t));
	CHECK(!sem_post(&go));
	CHECK(!pthread_join(t, &result) && !result);
}

static void cancel(void *(*fn)(void *))
{
	pthread_t t;
	void *result;

	CHECK(!pthread_create(&t, NULL, fn, NULL));
	CHECK(!sem_wait(&ready));
	CHECK(!pthread_cancel(t));
	CHECK(!pthread_join(t, &result));
	CHECK(result == PTHREAD_CANCELED);
}

int main(void)
{
	pthread_t t;
	void *result;

	CHECK(!sem_init(&ready, 0, 0) && !pipe(pipes));
	cancel(blocked);
	CHECK(cleaned == 1);
	cancel(disabled);
	CHECK(cleaned == 2);
	cancel(spinning);
	many_times();
	CHECK(!pthread_create(&t, NULL, ended, &ready));
	CHECK(!sem_wait(&ready));
	CHECK(!pthread_join(t, &result) && result == &ready);
	return 0;
}

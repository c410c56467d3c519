/* SPDX-License-Identifier: BSD-2-Clause */
/* Read-write locks, barriers, once, spin locks, semaphores. */
#include <pthread.h>
#include <semaphore.h>
#include "tests/posix/check.h"

#define THREADS 8

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_spinlock_t spin;
static sem_t sem;
static long a, b, spun, serial, inits;

static void init(void)
{
	inits++;
}

static void *work(void *arg)
{
	int ret;

	pthread_once(&once, init);
	ret = pthread_barrier_wait(&barrier);
	if (ret == PTHREAD_BARRIER_SERIAL_THREAD)
		__atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
	else
		CHECK(ret == 0);
	for (int i = 0; i < 3000; i++) {
		if ((long)arg < 2) {
			pthread_rwlock_wrlock(&rw);
			a++;
			b++;
		} else {
			pthread_rwlock_rdlock(&rw);
			CHECK(a == b);
		}
		pthread_rwlock_unlock(&rw);
		pthread_spin_lock(&spin);
		spun++;
		pthread_spin_unlock(&spin);
	}
	sem_post(&sem);
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];

	CHECK(!pthread_barrier_init(&barrier, NULL, THREADS));
	CHECK(!pthread_spin_init(&spin, 0));
	CHECK(!sem_init(&sem, 0, 0));
	CHECK_ERR(sem_trywait(&sem), EAGAIN);
	for (long i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&t[i], NULL, work, (void *)i));
	for (int i = 0; i < THREADS; i++)
		CHECK(!sem_wait(&sem));
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(t[i], NULL));
	CHECK(serial == 1 && inits == 1);
	CHECK(a == 6000 && b == 6000 && spun == THREADS * 3000);
	return 0;
}

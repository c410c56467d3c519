/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutexes of all kinds, condition variables, semaphores and barriers, with
 * time-outs at every moment: what they protect must add up. */
#include <semaphore.h>
#include "tests/stress/stress.h"

#define THREADS 6
#define LOOPS   200

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER, robust, inherit;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t sem;
static long counts[4], turn, tokens;

static struct timespec soon(uint64_t *r)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += stress_random(r) % 300000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

static void count(pthread_mutex_t *m, long *n, uint64_t *r)
{
	struct timespec t = soon(r);
	int err = stress_random(r) % 4 ? pthread_mutex_lock(m)
				       : pthread_mutex_timedlock(m, &t);

	if (err == ETIMEDOUT)
		err = pthread_mutex_lock(m);
	if (err == EOWNERDEAD)
		err = pthread_mutex_consistent(m);
	errno = err;
	CHECK(!err);
	++*n;
	if (stress_random(r) % 64 == 0)
		sched_yield();
	CHECK(!pthread_mutex_unlock(m));
}

static void pass_turn(long me, uint64_t *r)
{
	CHECK(!pthread_mutex_lock(&plain));
	while (turn % THREADS != me) {
		struct timespec t = soon(r);
		if (stress_random(r) & 1)
			CHECK(!pthread_cond_wait(&turned, &plain));
		else
			pthread_cond_timedwait(&turned, &plain, &t);
	}
	turn++;
	CHECK(!pthread_cond_broadcast(&turned));
	CHECK(!pthread_mutex_unlock(&plain));
}

static void *worker(void *arg)
{
	uint64_t r = stress_random_init((unsigned long)arg + stress_rounds);
	long before;

	for (int i = 0; i < LOOPS; i++) {
		count(&plain, &counts[0], &r);
		count(&robust, &counts[1], &r);
		count(&inherit, &counts[2], &r);
		CHECK(!pthread_rwlock_wrlock(&rw));
		counts[3]++;
		CHECK(!pthread_rwlock_unlock(&rw));
		CHECK(!pthread_rwlock_rdlock(&rw));
		before = counts[3];
		if (i % 16 == 0)
			sched_yield();
		CHECK(before == counts[3]);
		CHECK(!pthread_rwlock_unlock(&rw));
		while (sem_wait(&sem))
			CHECK(errno == EINTR);
		CHECK(__atomic_sub_fetch(&tokens, 1, __ATOMIC_SEQ_CST) >= 0);
		__atomic_add_fetch(&tokens, 1, __ATOMIC_SEQ_CST);
		CHECK(!sem_post(&sem));
		if (i % 32 == 0)
			pass_turn((long)arg % THREADS, &r);
		if (i % 50 == 0)
			pthread_barrier_wait(&barrier);
	}
	return NULL;
}

/* Dies with a robust mutex held. */
static void *careless(void *arg)
{
	int err = pthread_mutex_lock(&robust);

	if (err == EOWNERDEAD)
		CHECK(!pthread_mutex_consistent(&robust));
	else
		CHECK(!err);
	counts[1]++;
	return arg;
}

static void round_(unsigned long n)
{
	pthread_t t[THREADS + 2];

	(void)n;
	memset(counts, 0, sizeof(counts));
	for (long i = 0; i < THREADS; i++)
		t[i] = stress_thread(worker, i);
	for (int i = 0; i < 2; i++)
		t[THREADS + i] = stress_thread(careless, 0);
	for (int i = 0; i < THREADS + 2; i++)
		CHECK(!pthread_join(t[i], NULL));
	CHECK(counts[0] == THREADS * LOOPS);
	CHECK(counts[1] == THREADS * LOOPS + 2);
	CHECK(counts[2] == THREADS * LOOPS);
	CHECK(counts[3] == THREADS * LOOPS);
	CHECK(tokens == 2);
}

int main(int argc, char **argv)
{
	pthread_mutexattr_t a;

	CHECK(!pthread_mutexattr_init(&a));
	CHECK(!pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST));
	CHECK(!pthread_mutex_init(&robust, &a));
	CHECK(!pthread_mutexattr_init(&a));
	CHECK(!pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT));
	CHECK(!pthread_mutex_init(&inherit, &a));
	CHECK(!pthread_barrier_init(&barrier, NULL, THREADS));
	tokens = 2;
	CHECK(!sem_init(&sem, 0, 2));
	return stress_main(argc, argv, round_);
}

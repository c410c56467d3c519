/* SPDX-License-Identifier: BSD-2-Clause */
/* toril only: needs the right to real-time priorities.  On one CPU,
 * a more urgent thread runs first and is not made to wait; threads of one
 * FIFO priority run to completion in order, those of RR in turn. */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <unistd.h>
#include "tests/posix/check.h"

static char trace[64];
static atomic_uint traced;
static sem_t go;

static void note(char c)
{
	trace[traced++] = c;
}

static void start(
    pthread_t *t, int policy, int prio, void *(*fn)(void *), long arg)
{
	struct sched_param p = {.sched_priority = prio};
	pthread_attr_t a;

	pthread_attr_init(&a);
	pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&a, policy);
	pthread_attr_setschedparam(&a, &p);
	CHECK(!pthread_create(t, &a, fn, (void *)arg));
}

static void *urgent(void *arg)
{
	while (sem_wait(&go))
		CHECK(errno == EINTR);
	note((char)(long)arg);
	return NULL;
}

static void spin(void)
{
	static volatile unsigned work;

	for (unsigned i = 0; i < 30000000; i++)
		work += i;
}

static void *long_work(void *arg)
{
	note((char)(long)arg);
	spin();
	note((char)(long)arg);
	return NULL;
}

static void priority(int prio)
{
	struct sched_param p = {.sched_priority = prio};

	CHECK(!pthread_setschedparam(
	    pthread_self(), prio ? SCHED_FIFO : SCHED_OTHER, &p));
}

static void *holder(void *arg)
{
	pthread_mutex_t *m = arg;
	struct sched_param p;
	int policy;

	CHECK(!pthread_mutex_lock(m));
	note('l');
	sem_post(&go);
	spin();
	/* The medium thread has not run: we have the urgent one's priority. */
	note('u');
	CHECK(!pthread_getschedparam(pthread_self(), &policy, &p));
	CHECK(p.sched_priority == 5);
	CHECK(!pthread_mutex_unlock(m));
	return NULL;
}

static void *contender(void *arg)
{
	pthread_mutex_t *m = arg;
	CHECK(!pthread_mutex_lock(m));
	note('H');
	CHECK(!pthread_mutex_unlock(m));
	return NULL;
}

static void *medium(void *arg)
{
	note('M');
	return arg;
}

static void inheritance(void)
{
	pthread_mutexattr_t a;
	pthread_mutex_t m;
	pthread_t low, high, mid;

	traced = 0;
	pthread_mutexattr_init(&a);
	CHECK(!pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT));
	CHECK(!pthread_mutex_init(&m, &a));
	start(&low, SCHED_FIFO, 5, holder, (long)&m);
	CHECK(!sem_wait(&go));
	start(&high, SCHED_FIFO, 20, contender, (long)&m);
	start(&mid, SCHED_FIFO, 10, medium, 0);
	priority(1);
	CHECK(!pthread_join(low, NULL) && !pthread_join(high, NULL) &&
	      !pthread_join(mid, NULL));
	priority(50);
	CHECK(traced == 4 && !memcmp(trace, "luHM", 4));
}

static volatile sig_atomic_t alarmed;

static void on_alarm(int signo)
{
	alarmed = signo;
}

static void *until_alarmed(void *arg)
{
	while (!alarmed)
		;
	sem_post(&go);
	return arg;
}

/* A signal for the process goes to a thread that gets to run. */
static void urgent_signal(void)
{
	struct itimerval v = {.it_value = {0, 20000}};
	pthread_t waits, spins;

	signal(SIGALRM, on_alarm);
	priority(0);
	start(&waits, SCHED_FIFO, 10, urgent, 'w');
	CHECK(!setitimer(ITIMER_REAL, &v, NULL));
	start(&spins, SCHED_FIFO, 5, until_alarmed, 0);
	CHECK(!pthread_join(spins, NULL) && !pthread_join(waits, NULL));
	priority(50);
}

int main(void)
{
	cpu_set_t one;
	pthread_t t[3];

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	CHECK(!sched_setaffinity(0, sizeof(one), &one));
	CHECK(!sem_init(&go, 0, 0));
	priority(50);
	start(&t[0], SCHED_FIFO, 60, urgent, 'a');
	start(&t[1], SCHED_FIFO, 70, urgent, 'b');
	note('0');
	sem_post(&go);
	note('1');
	sem_post(&go);
	note('2');
	CHECK(!pthread_join(t[0], NULL) && !pthread_join(t[1], NULL));
	CHECK(!strcmp(trace, "0a1b2") || !strcmp(trace, "0b1a2"));

	memset(trace, 0, sizeof(trace));
	traced = 0;
	start(&t[0], SCHED_FIFO, 5, long_work, 'x');
	start(&t[1], SCHED_FIFO, 5, long_work, 'y');
	CHECK(!pthread_join(t[0], NULL) && !pthread_join(t[1], NULL));
	CHECK(!memcmp(trace, "xxyy", 4));

	memset(trace, 0, sizeof(trace));
	traced = 0;
	start(&t[0], SCHED_RR, 5, long_work, 'x');
	start(&t[1], SCHED_RR, 5, long_work, 'y');
	CHECK(!pthread_join(t[0], NULL) && !pthread_join(t[1], NULL));
	CHECK(!memcmp(trace, "xy", 2) && trace[2] != trace[3]);
	inheritance();
	urgent_signal();
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A process's signal goes to a thread that has it unblocked; pthread_kill
 * to the one meant. */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>
#include "tests/posix/check.h"

static sem_t ready, taken;
static pthread_t by;

static void note(int sig)
{
	(void)sig;
	by = pthread_self();
	sem_post(&taken);
}

static void *open_one(void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(!pthread_sigmask(SIG_UNBLOCK, &set, NULL));
	sem_post(&ready);
	while (!__atomic_load_n((int *)arg, __ATOMIC_ACQUIRE))
		usleep(1000);
	return NULL;
}

int main(void)
{
	pthread_t t[2];
	sigset_t set;
	int stop = 0;

	CHECK(!sem_init(&ready, 0, 0) && !sem_init(&taken, 0, 0));
	CHECK(signal(SIGUSR1, note) == SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(!pthread_sigmask(SIG_BLOCK, &set, NULL));
	for (int i = 0; i < 2; i++) {
		CHECK(!pthread_create(&t[i], NULL, open_one, &stop));
		CHECK(!sem_wait(&ready));
	}
	CHECK(!kill(getpid(), SIGUSR1));
	CHECK(!sem_wait(&taken));
	CHECK(pthread_equal(by, t[0]) || pthread_equal(by, t[1]));
	for (int i = 0; i < 2; i++) {
		CHECK(!pthread_kill(t[i], SIGUSR1));
		CHECK(!sem_wait(&taken));
		CHECK(pthread_equal(by, t[i]));
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_join(t[i], NULL));
	return 0;
}

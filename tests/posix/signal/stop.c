/* SPDX-License-Identifier: BSD-2-Clause */
/* SIGSTOP stops every thread until SIGCONT, here a timer's; both undo what
 * is pending of the other. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

static atomic_ulong counted;
static volatile sig_atomic_t continued;

static void on_cont(int signo)
{
	continued += signo == SIGCONT;
}

static void *counter(void *arg)
{
	sigset_t cont; /* or this thread might take it, and be late */

	sigemptyset(&cont);
	sigaddset(&cont, SIGCONT);
	pthread_sigmask(SIG_BLOCK, &cont, NULL);
	for (;;)
		counted++;
	return arg;
}

static void stop_for(long ms)
{
	struct sigevent e = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGCONT};
	struct itimerspec its = {.it_value = {0, ms * 1000000}};
	timer_t t;

	CHECK(!timer_create(CLOCK_MONOTONIC, &e, &t));
	CHECK(!timer_settime(t, 0, &its, NULL));
	CHECK(!raise(SIGSTOP));
	CHECK(!timer_delete(t));
}

int main(void)
{
	struct sigaction sa = {.sa_handler = on_cont};
	struct timespec before, after;
	sigset_t set, pending;
	pthread_t t;

	CHECK(!sigaction(SIGCONT, &sa, NULL));
	CHECK(!pthread_create(&t, NULL, counter, NULL));
	while (!counted)
		sched_yield();
	clock_gettime(CLOCK_MONOTONIC, &before);
	stop_for(60);
	clock_gettime(CLOCK_MONOTONIC, &after);
	CHECK(continued == 1);
	CHECK((after.tv_sec - before.tv_sec) * 1000 +
		  (after.tv_nsec - before.tv_nsec) / 1000000 >=
	      55);

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* Blocked in the other thread too, else that would take it. */
	CHECK(!pthread_kill(pthread_self(), SIGTSTP));
	sigpending(&pending);
	CHECK(sigismember(&pending, SIGTSTP));
	CHECK(!pthread_kill(pthread_self(), SIGCONT));
	sigpending(&pending);
	CHECK(!sigismember(&pending, SIGTSTP));
	CHECK(sigismember(&pending, SIGCONT));
	CHECK(!pthread_kill(pthread_self(), SIGTSTP));
	sigpending(&pending);
	CHECK(!sigismember(&pending, SIGCONT));
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* toril only: it sets the wall clock, which a shared machine must not.
 *
 * What waits for the wall clock follows it when it is set; what waits for an
 * interval does not. */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

static pthread_barrier_t ready;

static void *sleeper(void *arg)
{
	struct timespec *until = arg;

	pthread_barrier_wait(&ready);
	CHECK(!clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, until, NULL));
	return NULL;
}

int main(void)
{
	struct timespec now, until;
	struct itimerspec its = {{0, 0}, {0, 0}}, left;
	struct sigevent e = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct timeval tv;
	int absolute = timerfd_create(CLOCK_REALTIME, 0);
	int canceled = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	int relative = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	sigset_t set;
	uint64_t n;
	timer_t timer;
	pthread_t t;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(!clock_gettime(CLOCK_REALTIME, &now));
	until = (struct timespec){now.tv_sec + 3000, now.tv_nsec};
	its.it_value = until;
	CHECK(!timer_create(CLOCK_REALTIME, &e, &timer));
	CHECK(!timer_settime(timer, TIMER_ABSTIME, &its, NULL));
	CHECK(!timerfd_settime(absolute, TFD_TIMER_ABSTIME, &its, NULL));
	CHECK(!timerfd_settime(
	    canceled, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL));
	its.it_value = (struct timespec){3000, 0};
	CHECK(!timerfd_settime(relative, 0, &its, NULL));
	pthread_barrier_init(&ready, NULL, 2);
	CHECK(!pthread_create(&t, NULL, sleeper, &until));
	pthread_barrier_wait(&ready);
	usleep(10000);

	CHECK(!gettimeofday(&tv, NULL));
	tv.tv_sec += 4000;
	CHECK(!settimeofday(&tv, NULL));
	CHECK(!pthread_join(t, NULL));
	CHECK(!sigwait(&set, &signo) && signo == SIGUSR1);
	CHECK(read(absolute, &n, sizeof(n)) == sizeof(n) && n == 1);
	CHECK_ERR(read(canceled, &n, sizeof(n)), ECANCELED);
	CHECK(!timerfd_gettime(relative, &left));
	CHECK(left.it_value.tv_sec > 2000);
	CHECK(!clock_settime(CLOCK_REALTIME, &now));
	CHECK_ERR(clock_settime(CLOCK_MONOTONIC, &now), EINVAL);
	CHECK_ERR(syscall(SYS_clock_settime, CLOCK_MONOTONIC, NULL), EINVAL);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* setitimer, alarm, POSIX timers: signals that come by time. */
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

static volatile sig_atomic_t got;

static void count(int sig)
{
	CHECK(sig == SIGALRM);
	got++;
}

int main(void)
{
	struct itimerval it = {{0, 5000}, {0, 5000}}, off = {0}, old;
	struct sigaction act = {.sa_handler = count};
	sigset_t set, empty;

	sigemptyset(&empty);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	CHECK(!sigaction(SIGALRM, &act, NULL));
	CHECK(!setitimer(ITIMER_REAL, &it, NULL));
	/* Once while this spins, then while it sleeps. */
	while (!got)
		;
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	while (got < 5)
		CHECK_ERR(sigsuspend(&empty), EINTR);
	CHECK(!getitimer(ITIMER_REAL, &old));
	CHECK(old.it_interval.tv_usec == 5000);
	CHECK(!setitimer(ITIMER_REAL, &off, &old));
	CHECK(!sigprocmask(SIG_UNBLOCK, &set, NULL));
	got = 0;
	CHECK(alarm(100) == 0);
	CHECK(alarm(0) > 90 && got == 0);
	CHECK_ERR(setitimer(99, &off, NULL), EINVAL);
	return 0;
}

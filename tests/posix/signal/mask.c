/* SPDX-License-Identifier: BSD-2-Clause */
/* Masks, pending sets, sigsuspend, sigtimedwait, sigwaitinfo, sigqueue. */
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

static volatile sig_atomic_t got;

static void count(int sig)
{
	(void)sig;
	got++;
}

int main(void)
{
	struct timespec soon = {0, 10000000}, none = {0, 0};
	sigset_t set, old, pending;
	siginfo_t info;

	CHECK(signal(SIGUSR1, count) == SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	CHECK(!sigprocmask(SIG_BLOCK, &set, &old));
	CHECK(!raise(SIGUSR1) && !raise(SIGUSR1) && got == 0);
	CHECK(!sigpending(&pending) && sigismember(&pending, SIGUSR1));
	CHECK_ERR(sigsuspend(&old), EINTR);
	CHECK(got == 1);
	CHECK(!sigpending(&pending) && !sigismember(&pending, SIGUSR1));
	CHECK_ERR(sigtimedwait(&set, NULL, &none), EAGAIN);
	CHECK_ERR(sigtimedwait(&set, NULL, &soon), EAGAIN);
	CHECK(!raise(SIGUSR1));
	CHECK(sigtimedwait(&set, &info, &none) == SIGUSR1);
	CHECK(info.si_signo == SIGUSR1 && got == 1);
	/* Real-time signals queue, with a value each. */
	for (int i = 1; i <= 3; i++)
		CHECK(!sigqueue(
		    getpid(), SIGRTMIN, (union sigval){.sival_int = i * 11}));
	for (int i = 1; i <= 3; i++) {
		CHECK(sigwaitinfo(&set, &info) == SIGRTMIN);
		CHECK(info.si_code == SI_QUEUE);
		CHECK(info.si_value.sival_int == i * 11);
	}
	CHECK(!raise(SIGUSR1) && got == 1);
	CHECK(!sigprocmask(SIG_SETMASK, &old, NULL));
	CHECK(got == 2);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Handlers: siginfo, mask during one, nesting, one-shot, ignored. */
#include <signal.h>
#include <unistd.h>
#include "tests/posix/check.h"

static volatile sig_atomic_t usr1, usr2, depth, deepest;

static void on_usr1(int sig, siginfo_t *info, void *context)
{
	CHECK(sig == SIGUSR1 && info->si_signo == sig && context);
	CHECK(info->si_pid == getpid());
	if (++depth > deepest)
		deepest = depth;
	usr1++;
	/* Blocked in here: it stays pending; the other one nests. */
	if (usr1 == 1)
		CHECK(!raise(SIGUSR1));
	CHECK(!raise(SIGUSR2));
	depth--;
}

static void on_usr2(int sig)
{
	CHECK(sig == SIGUSR2);
	CHECK(depth >= 1 || usr2 > 1);
	usr2++;
}

int main(void)
{
	struct sigaction act = {
	    .sa_sigaction = on_usr1, .sa_flags = SA_SIGINFO};
	struct sigaction old;

	CHECK(!sigaction(SIGUSR1, &act, NULL));
	CHECK(!sigaction(SIGUSR1, NULL, &old));
	CHECK(old.sa_sigaction == on_usr1 && old.sa_flags & SA_SIGINFO);
	act = (struct sigaction){.sa_handler = on_usr2};
	CHECK(!sigaction(SIGUSR2, &act, NULL));
	CHECK(!kill(getpid(), SIGUSR1));
	CHECK(usr1 == 2 && usr2 == 2 && deepest == 1);
	act.sa_flags = SA_RESETHAND;
	CHECK(!sigaction(SIGUSR2, &act, NULL));
	CHECK(!raise(SIGUSR2) && usr2 == 3);
	CHECK(!sigaction(SIGUSR2, NULL, &old));
	CHECK(old.sa_handler == SIG_DFL);
	CHECK(signal(SIGUSR2, SIG_IGN) == SIG_DFL);
	CHECK(!raise(SIGUSR2) && usr2 == 3);
	CHECK_ERR(sigaction(SIGKILL, &act, NULL), EINVAL);
	CHECK_ERR(sigaction(99, &act, NULL), EINVAL);
	CHECK_ERR(kill(getpid(), 99), EINVAL);
	CHECK(!kill(getpid(), 0));
	return 0;
}

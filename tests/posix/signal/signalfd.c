/* SPDX-License-Identifier: BSD-2-Clause */
/* signalfd: blocked signals as data; epoll upon it; which ones it gives. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "tests/posix/check.h"

static sigset_t set_of(int a, int b)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, a);
	if (b)
		sigaddset(&s, b);
	return s;
}

static void *later(void *arg)
{
	usleep(20000);
	CHECK(!kill(getpid(), SIGUSR2));
	return arg;
}

int main(void)
{
	sigset_t usr = set_of(SIGUSR1, SIGUSR2), rt = set_of(SIGRTMIN, 0), all;
	struct signalfd_siginfo si[4];
	struct pollfd p;
	union sigval v = {.sival_int = 42};
	pthread_t t;
	int fd, pair[2];

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	fd = signalfd(-1, &usr, SFD_NONBLOCK | SFD_CLOEXEC);
	CHECK(fd >= 0);
	p = (struct pollfd){fd, POLLIN, 0};
	CHECK(poll(&p, 1, 0) == 0);
	CHECK_ERR(read(fd, si, sizeof(si)), EAGAIN);
	CHECK_ERR(read(fd, si, sizeof(si[0]) - 1), EINVAL);

	CHECK(!kill(getpid(), SIGUSR1));
	CHECK(!raise(SIGUSR2));
	CHECK(!kill(getpid(), SIGHUP));
	CHECK(poll(&p, 1, -1) == 1 && p.revents == POLLIN);
	CHECK(read(fd, si, sizeof(si)) == 2 * sizeof(si[0]));
	CHECK(si[0].ssi_signo + si[1].ssi_signo == SIGUSR1 + SIGUSR2);
	CHECK(si[0].ssi_pid == (unsigned)getpid());
	CHECK(poll(&p, 1, 0) == 0);

	/* Another set for the same file; values of queued signals in order. */
	CHECK(signalfd(fd, &rt, 0) == fd);
	CHECK(!sigqueue(getpid(), SIGRTMIN, v));
	v.sival_int = 43;
	CHECK(!sigqueue(getpid(), SIGRTMIN, v));
	CHECK(read(fd, si, sizeof(si)) == 2 * sizeof(si[0]));
	CHECK(si[0].ssi_int == 42 && si[1].ssi_int == 43);
	CHECK(si[0].ssi_code == SI_QUEUE);

	/* A reader that waits, and a poll that does. */
	CHECK(signalfd(fd, &usr, 0) == fd);
	CHECK(!pthread_create(&t, NULL, later, NULL));
	CHECK(poll(&p, 1, -1) == 1);
	CHECK(read(fd, si, sizeof(si)) == sizeof(si[0]));
	CHECK(!pthread_join(t, NULL));
	CHECK(!close(fd));
	fd = signalfd(-1, &usr, 0);
	CHECK(!pthread_create(&t, NULL, later, NULL));
	CHECK(read(fd, si, sizeof(si)) == sizeof(si[0]));
	CHECK(si[0].ssi_signo == SIGUSR2);
	CHECK(!pthread_join(t, NULL));

	CHECK(!pipe(pair));
	CHECK_ERR(signalfd(pair[0], &usr, 0), EINVAL);
	CHECK_ERR(signalfd(99, &usr, 0), EBADF);
	CHECK_ERR(signalfd(-1, &usr, 1), EINVAL);
	return 0;
}

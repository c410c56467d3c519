/* SPDX-License-Identifier: BSD-2-Clause */
/* POSIX message queues: order, limits, time-outs, notification, poll. */
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define NAME "/toril-test-mqueue"

static struct mq_attr small = {.mq_maxmsg = 3, .mq_msgsize = 16};

static void order(mqd_t q)
{
	char text[16];
	unsigned prio;

	CHECK(!mq_send(q, "low", 4, 1));
	CHECK(!mq_send(q, "high", 5, 9));
	CHECK(!mq_send(q, "low2", 5, 1));
	CHECK(mq_receive(q, text, 16, &prio) == 5);
	CHECK(prio == 9 && !strcmp(text, "high"));
	CHECK(mq_receive(q, text, 16, NULL) == 4 && !strcmp(text, "low"));
	CHECK(mq_receive(q, text, 16, &prio) == 5 && !strcmp(text, "low2"));
	CHECK(prio == 1);
}

static void errors(mqd_t q)
{
	struct mq_attr a = {.mq_flags = O_NONBLOCK}, old;
	struct timespec past = {1, 0}, wrong = {1, -1};
	struct pollfd p = {q, POLLIN | POLLOUT, 0};
	char text[16];

	CHECK_ERR(mq_timedreceive(q, text, 16, NULL, &past), ETIMEDOUT);
	CHECK_ERR(mq_timedreceive(q, text, 16, NULL, &wrong), EINVAL);
	CHECK_ERR(mq_receive(q, text, 15, NULL), EMSGSIZE);
	CHECK_ERR(mq_send(q, text, 17, 0), EMSGSIZE);
	CHECK_ERR(mq_send(q, text, 1, 32768), EINVAL);
	CHECK(!mq_setattr(q, &a, &old) && !old.mq_flags);
	CHECK_ERR(mq_receive(q, text, 16, NULL), EAGAIN);
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
	for (int i = 0; i < 3; i++)
		CHECK(!mq_send(q, "", 0, 0));
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
	CHECK_ERR(mq_send(q, "", 0, 0), EAGAIN);
	CHECK(!mq_getattr(q, &old));
	CHECK(old.mq_flags == O_NONBLOCK && old.mq_maxmsg == 3 &&
	      old.mq_msgsize == 16 && old.mq_curmsgs == 3);
	for (int i = 0; i < 3; i++)
		CHECK(mq_receive(q, text, 16, NULL) == 0);
	a.mq_flags = 0;
	CHECK(!mq_setattr(q, &a, NULL));
	CHECK_ERR(mq_send(99, "", 0, 0), EBADF);
	CHECK_ERR(mq_open("/toril-none", O_RDWR), ENOENT);
	CHECK_ERR(mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, NULL), EEXIST);
	CHECK_ERR(mq_open("/a/b", O_RDWR | O_CREAT, 0600, NULL), EACCES);
	a = (struct mq_attr){.mq_maxmsg = 0, .mq_msgsize = 1};
	CHECK_ERR(mq_open("/toril-none", O_RDWR | O_CREAT, 0600, &a), EINVAL);
	CHECK_ERR(mq_unlink("/toril-none"), ENOENT);
}

static void *echo(void *arg)
{
	mqd_t q = *(mqd_t *)arg;
	char text[16];

	for (int i = 0; i < 200; i++)
		CHECK(mq_receive(q, text, 16, NULL) == 4 && text[0] == (char)i);
	return NULL;
}

static void notification(mqd_t q)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL,
	    .sigev_signo = SIGUSR1,
	    .sigev_value.sival_int = 33};
	sigset_t set;
	siginfo_t info;
	char text[16];

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(!mq_notify(q, &e));
	CHECK_ERR(mq_notify(q, &e), EBUSY);
	CHECK(!mq_send(q, "x", 1, 0));
	CHECK(sigwaitinfo(&set, &info) == SIGUSR1);
	CHECK(info.si_code == SI_MESGQ && info.si_value.sival_int == 33);
	CHECK(mq_receive(q, text, 16, NULL) == 1);
	CHECK(!mq_notify(q, &e));
	CHECK(!mq_notify(q, NULL));
	CHECK(!mq_send(q, "x", 1, 0));
	CHECK(mq_receive(q, text, 16, NULL) == 1);
	sigpending(&set);
	CHECK(!sigismember(&set, SIGUSR1));
}

int main(void)
{
	mqd_t q, r;
	pthread_t t;

	mq_unlink(NAME);
	q = mq_open(NAME, O_RDWR | O_CREAT, 0600, &small);
	CHECK(q >= 0);
	order(q);
	errors(q);
	CHECK(!pthread_create(&t, NULL, echo, &q));
	for (int i = 0; i < 200; i++)
		CHECK(!mq_send(q, (char[]){(char)i, 1, 2, 3}, 4, 0));
	CHECK(!pthread_join(t, NULL));
	notification(q);
	r = mq_open(NAME, O_RDONLY);
	CHECK_ERR(mq_send(r, "", 0, 0), EBADF);
	CHECK(!mq_unlink(NAME));
	CHECK_ERR(mq_open(NAME, O_RDWR), ENOENT);
	CHECK(!mq_send(q, "last", 5, 0));
	CHECK(mq_receive(r, (char[16]){0}, 16, NULL) == 5);
	CHECK(!mq_close(q) && !mq_close(r));
	return 0;
}

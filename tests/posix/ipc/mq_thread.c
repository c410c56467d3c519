/* SPDX-License-Identifier: BSD-2-Clause */
/* mq_notify by a thread (SIGEV_THREAD), and what the C library builds it of:
 * a cookie in a netlink socket. */
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/posix/check.h"

static sem_t told;
static int value;

static void notified(union sigval v)
{
	value = v.sival_int;
	sem_post(&told);
}

static void by_thread(mqd_t q)
{
	struct sigevent e = {.sigev_notify = SIGEV_THREAD,
	    .sigev_notify_function = notified,
	    .sigev_value.sival_int = 42};
	char buf[16];

	CHECK(!sem_init(&told, 0, 0));
	for (int i = 0; i < 3; i++) {
		CHECK(!mq_notify(q, &e));
		CHECK_ERR(mq_notify(q, &e), EBUSY);
		CHECK(!mq_send(q, "x", 1, 0));
		CHECK(!sem_wait(&told) && value == 42);
		CHECK(mq_receive(q, buf, sizeof(buf), NULL) == 1);
	}
}

/* As the C library does it. */
static int ask(mqd_t q, int s, char cookie[32])
{
	struct sigevent e = {.sigev_notify = SIGEV_THREAD,
	    .sigev_signo = s,
	    .sigev_value.sival_ptr = cookie};

	return (int)syscall(SYS_mq_notify, q, &e);
}

static void by_socket(mqd_t q)
{
	char cookie[32] = "cookie", got[64];
	int s = socket(AF_NETLINK, SOCK_RAW, 0), u;

	CHECK(s >= 0 && !ask(q, s, cookie));
	CHECK_ERR(recv(s, got, 64, MSG_DONTWAIT), EAGAIN);
	CHECK(!mq_notify(q, NULL)); /* taken back */
	CHECK(recv(s, got, 64, 0) == 32 && !memcmp(got, "cookie", 7));
	CHECK(got[31] == 2);
	CHECK(!ask(q, s, cookie) && !mq_send(q, "x", 1, 0));
	CHECK(recv(s, got, 64, 0) == 32 && got[31] == 1);
	CHECK(!ask(q, s, cookie) && !close(s));
	CHECK(!mq_notify(q, NULL));
	u = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_ERR(ask(q, u, cookie), EINVAL);
	CHECK_ERR(ask(q, 999, cookie), EBADF);
	CHECK_ERR(ask(q, 0, cookie), ENOTSOCK);
	CHECK_ERR(ask(q, u, NULL), EFAULT);
	CHECK(!close(u));
}

int main(void)
{
	struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 16};
	mqd_t q = mq_open("/toril-thread", O_CREAT | O_RDWR, 0600, &a);

	CHECK(q != (mqd_t)-1 && !mq_unlink("/toril-thread"));
	by_thread(q);
	by_socket(q);
	CHECK(!mq_close(q));
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* sendmmsg and recvmmsg: of datagrams and of a stream, time-outs. */
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define N 3

/* The call itself: libc's sendmmsg may be a loop. */
static int send_many(int s, struct mmsghdr *m, unsigned n)
{
	return (int)syscall(SYS_sendmmsg, s, m, n, 0);
}

int main(void)
{
	char buf[N][8] = {"a", "bb", "ccc"};
	struct iovec iov[N];
	struct mmsghdr m[N] = {0};
	struct timespec ts = {5, 0};
	int s[2];

	for (int i = 0; i < N; i++) {
		iov[i] = (struct iovec){buf[i], (size_t)i + 1};
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	CHECK(send_many(s[0], m, N) == N && m[2].msg_len == 3);
	for (int i = 0; i < N; i++)
		iov[i].iov_len = 8;
	CHECK(recvmmsg(s[1], m, 2, 0, &ts) == 2 && m[0].msg_len == 1);
	CHECK(m[1].msg_len == 2 && !memcmp(buf[1], "bb", 2));
	CHECK(ts.tv_sec < 5 || (ts.tv_sec == 5 && ts.tv_nsec == 0));
	CHECK(recvmmsg(s[1], m, N, MSG_WAITFORONE, NULL) == 1);
	CHECK(m[0].msg_len == 3 && !memcmp(buf[0], "ccc", 3));
	CHECK_ERR(recvmmsg(s[1], m, N, MSG_DONTWAIT, NULL), EAGAIN);
	ts = (struct timespec){0, 1000000000};
	CHECK_ERR(recvmmsg(s[1], m, N, 0, &ts), EINVAL);
	/* One that has passed ends the call after the first message. */
	ts = (struct timespec){0, 0};
	CHECK(send(s[0], "1", 1, 0) == 1 && send(s[0], "2", 1, 0) == 1);
	CHECK(recvmmsg(s[1], m, N, 0, &ts) == 1);
	m[1].msg_hdr.msg_iov = (void *)8;
	CHECK(send_many(s[0], m, N) == 1); /* the second has a bad address */
	CHECK_ERR(send_many(s[0], m + 1, 1), EFAULT);
	CHECK_ERR(send_many(999, m, 1), EBADF);
	CHECK_ERR(send_many(0, m, 1), ENOTSOCK);
	CHECK(!close(s[0]) && !close(s[1]));
	return 0;
}

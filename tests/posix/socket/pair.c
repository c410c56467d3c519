/* SPDX-License-Identifier: BSD-2-Clause */
/* socketpair: both ways, half close, flags of recv. */
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/posix/check.h"

int main(void)
{
	char buf[16] = "";
	struct iovec iov[2] = {{buf, 2}, {buf + 2, 3}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
	int s[2], n;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
	CHECK(send(s[0], "hello", 5, 0) == 5);
	CHECK(!ioctl(s[1], FIONREAD, &n) && n == 5);
	CHECK(recv(s[1], buf, 16, MSG_PEEK) == 5 && !memcmp(buf, "hello", 5));
	CHECK(recvmsg(s[1], &m, 0) == 5 && !memcmp(buf, "hello", 5));
	CHECK_ERR(recv(s[1], buf, 1, MSG_DONTWAIT), EAGAIN);
	memcpy(buf, "world", 5);
	CHECK(sendmsg(s[1], &m, MSG_NOSIGNAL) == 5);
	CHECK(read(s[0], buf, 3) == 3 && read(s[0], buf + 3, 16 - 3) == 2);
	CHECK(!memcmp(buf, "world", 5));
	CHECK(!shutdown(s[0], SHUT_WR));
	CHECK(recv(s[1], buf, 1, 0) == 0);
	CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(send(s[1], "back", 4, 0) == 4 && recv(s[0], buf, 16, 0) == 4);
	CHECK(!close(s[1]) && recv(s[0], buf, 16, 0) == 0);
	CHECK_ERR(socketpair(AF_INET, SOCK_STREAM, 0, s), EOPNOTSUPP);
	return 0;
}

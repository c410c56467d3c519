/* SPDX-License-Identifier: BSD-2-Clause */
/* AF_UNIX datagram and seqpacket sockets: boundaries, senders' names, full
 * queues, peers that go. */
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "tests/posix/check.h"
#include "tests/posix/socket/unix.h"

static short events(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	CHECK(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static void boundaries(int type)
{
	char buf[16] = "";
	int s[2], n;

	CHECK(!socketpair(AF_UNIX, type, 0, s));
	CHECK(send(s[0], "first", 5, 0) == 5 && send(s[0], "", 0, 0) == 0);
	CHECK(send(s[0], "third one", 9, 0) == 9);
	CHECK(!ioctl(s[1], FIONREAD, &n));
	CHECK(n == (type == SOCK_DGRAM ? 5 : 14)); /* the next, or all */
	CHECK(recv(s[1], buf, 3, MSG_PEEK) == 3);
	CHECK(recv(s[1], buf, 3, MSG_PEEK | MSG_TRUNC) == 5);
	CHECK(recv(s[1], buf, 16, 0) == 5 && !memcmp(buf, "first", 5));
	CHECK(recv(s[1], buf, 16, 0) == 0);
	CHECK(recv(s[1], buf, 5, 0) == 5 && !memcmp(buf, "third", 5));
	CHECK_ERR(recv(s[1], buf, 16, MSG_DONTWAIT), EAGAIN);
	CHECK(write(s[1], "back", 4) == 4 && read(s[0], buf, 16) == 4);
	printf("pair: %x", events(s[0]));
	CHECK(!close(s[1]));
	printf(", closed: %x\n", events(s[0]));
	if (type == SOCK_SEQPACKET) {
		CHECK(read(s[0], buf, 1) == 0);
		CHECK_ERR(send(s[0], "x", 1, 0), EPIPE); /* and no signal */
	} else {
		CHECK_ERR(send(s[0], "x", 1, 0), ECONNREFUSED);
		CHECK_ERR(send(s[0], "x", 1, 0), ENOTCONN);
	}
	CHECK(!close(s[0]));
}

static void names(void)
{
	struct sockaddr_un a, from;
	socklen_t n = unix_addr(&a, "server"), len = sizeof(from);
	int srv = unix_bound(SOCK_DGRAM, "server");
	int cli = unix_bound(SOCK_DGRAM, "@toril client");
	int other = socket(AF_UNIX, SOCK_DGRAM, 0);
	char buf[8];

	CHECK(srv >= 0 && cli >= 0);
	CHECK(sendto(cli, "one", 3, 0, (void *)&a, n) == 3);
	CHECK(sendto(other, "two", 3, 0, (void *)&a, n) == 3);
	CHECK(recvfrom(srv, buf, 8, 0, (void *)&from, &len) == 3);
	CHECK(len == 2 + 13 && !memcmp(from.sun_path, "\0toril client", 13));
	CHECK(sendto(srv, "yes", 3, 0, (void *)&from, len) == 3);
	CHECK(read(cli, buf, 8) == 3 && !memcmp(buf, "yes", 3));
	len = sizeof(from);
	CHECK(recvfrom(srv, buf, 8, 0, (void *)&from, &len) == 3 && len == 0);
	/* A connected receiver hears its peer only. */
	CHECK(!connect(cli, (void *)&a, n) && send(cli, "x", 1, 0) == 1);
	CHECK(!unix_connect(srv, "@toril client"));
	CHECK_ERR(sendto(other, "x", 1, 0, (void *)&a, n), EPERM);
	CHECK_ERR(connect(other, (void *)&a, n), EPERM);
	a.sun_family = AF_UNSPEC;
	CHECK(!connect(srv, (void *)&a, 2));
	CHECK_ERR(send(srv, "x", 1, 0), ENOTCONN);
	CHECK(!unix_connect(other, "server") && send(other, "x", 1, 0) == 1);
	CHECK(!close(srv));
	CHECK_ERR(send(other, "x", 1, 0), ECONNREFUSED);
	CHECK_ERR(send(other, "x", 1, 0), ENOTCONN);
	CHECK(!close(cli) && !close(other) && !unlink("server"));
}

static void *reader(void *arg)
{
	char buf[8];

	CHECK(recv(*(int *)arg, buf, 8, 0) == 1);
	return NULL;
}

/* A receiver that is not connected back takes so many packets. */
static void full(void)
{
	int srv = unix_bound(SOCK_DGRAM, "@toril full"), n = 0;
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);
	pthread_t t;

	CHECK(!unix_connect(s, "@toril full"));
	while (send(s, "x", 1, MSG_DONTWAIT) == 1)
		n++;
	CHECK(errno == EAGAIN && n >= 10);
	CHECK(events(s) == 0);
	CHECK(!pthread_create(&t, NULL, reader, &srv));
	CHECK(send(s, "y", 1, 0) == 1); /* waits for the reader */
	CHECK(!pthread_join(t, NULL));
	CHECK(!close(srv) && !close(s));
}

static void large(void)
{
	static char buf[300000];
	int s[2], size = 8192;

	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	CHECK(send(s[0], buf, 100000, 0) == 100000);
	CHECK(recv(s[1], buf, sizeof(buf), 0) == 100000);
	CHECK_ERR(send(s[0], buf, sizeof(buf), 0), EMSGSIZE);
	CHECK(!setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	CHECK_ERR(send(s[0], buf, 20000, 0), EMSGSIZE);
	CHECK(!close(s[0]) && !close(s[1]));
}

static void seqpacket_server(void)
{
	int l = unix_bound(SOCK_SEQPACKET, "@toril seq"), c, s;
	char buf[8];

	CHECK(!listen(l, 1));
	s = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	CHECK_ERR(send(s, "x", 1, 0), ENOTCONN);
	CHECK_ERR(recv(s, buf, 1, 0), ENOTCONN);
	CHECK(!unix_connect(s, "@toril seq"));
	CHECK(send(s, "ab", 2, MSG_EOR) == 2 && send(s, "cd", 2, 0) == 2);
	CHECK((c = accept(l, NULL, NULL)) >= 0);
	CHECK(read(c, buf, 8) == 2 && !memcmp(buf, "ab", 2));
	CHECK(!close(c)); /* with "cd" unread */
	CHECK_ERR(read(s, buf, 8), ECONNRESET);
	CHECK(!close(s) && !close(l));
}

int main(void)
{
	boundaries(SOCK_DGRAM);
	boundaries(SOCK_SEQPACKET);
	names();
	full();
	large();
	seqpacket_server();
	return 0;
}

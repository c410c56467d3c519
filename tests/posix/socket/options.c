/* SPDX-License-Identifier: BSD-2-Clause */
/* MSG_WAITALL, receive time-outs, EADDRINUSE, refused and pending connects,
 * errors of wrong calls. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "tests/posix/check.h"

static int pair[2];

static void *two_parts(void *arg)
{
	CHECK(send(pair[1], "abc", 3, 0) == 3);
	usleep(20000);
	CHECK(send(pair[1], "defg", 4, 0) == 4);
	return arg;
}

static int listener(struct sockaddr_in *a)
{
	socklen_t n = sizeof(*a);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	*a = (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	CHECK(l >= 0 && !bind(l, (void *)a, n) && !listen(l, 5));
	CHECK(!getsockname(l, (void *)a, &n));
	return l;
}

static void wait_all(const struct sockaddr_in *a, int l)
{
	char buf[16];
	pthread_t t;

	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!connect(pair[0], (void *)a, sizeof(*a)));
	pair[1] = accept(l, NULL, NULL);
	CHECK(pair[1] >= 0);
	CHECK(!pthread_create(&t, NULL, two_parts, NULL));
	CHECK(recv(pair[0], buf, 7, MSG_WAITALL) == 7);
	CHECK(!memcmp(buf, "abcdefg", 7) && !pthread_join(t, NULL));
}

static void time_outs(void)
{
	struct timeval tv = {0, 20000}, got;
	socklen_t n = sizeof(got);
	char c;

	CHECK(!setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	CHECK(!getsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &got, &n));
	CHECK(got.tv_sec == 0 && got.tv_usec == 20000);
	CHECK_ERR(recv(pair[0], &c, 1, 0), EAGAIN);
	CHECK_ERR(recv(pair[0], &c, 1, MSG_DONTWAIT), EAGAIN);
}

/* A nonblocking sender fills what there is, and the receiver gets it all. */
static void back_pressure(void)
{
	static char buf[60000];
	struct pollfd f = {.fd = pair[1], .events = POLLOUT};
	size_t sent = 0, got = 0;
	ssize_t n;

	CHECK(!fcntl(pair[1], F_SETFL, O_NONBLOCK));
	CHECK(fcntl(pair[1], F_GETFL) == (O_RDWR | O_NONBLOCK));
	while ((n = send(pair[1], buf, sizeof(buf), 0)) > 0)
		sent += (size_t)n;
	CHECK(errno == EAGAIN && sent > 1000 && poll(&f, 1, 0) == 0);
	while (got < sent) {
		n = recv(pair[0], buf, sizeof(buf), 0);
		CHECK(n > 0);
		got += (size_t)n;
	}
	CHECK(poll(&f, 1, -1) == 1 && f.revents == POLLOUT);
}

static void connects(struct sockaddr_in *a, int l)
{
	struct pollfd f = {.events = POLLOUT};
	socklen_t n = sizeof(int);
	int s, v = -1;

	s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(s >= 0);
	if (connect(s, (void *)a, sizeof(*a)) < 0)
		CHECK(errno == EINPROGRESS);
	f.fd = s;
	CHECK(poll(&f, 1, -1) == 1 && f.revents & POLLOUT);
	CHECK(!getsockopt(s, SOL_SOCKET, SO_ERROR, &v, &n) && v == 0);
	CHECK(send(s, "x", 1, 0) == 1);
	CHECK(!close(s) && !close(l));
	s = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_ERR(connect(s, (void *)a, sizeof(*a)), ECONNREFUSED);
	CHECK(!close(s));
}

int main(void)
{
	struct sockaddr_in a;
	int l = listener(&a), s = socket(AF_INET, SOCK_STREAM, 0);
	char c;

	CHECK_ERR(bind(s, (void *)&a, sizeof(a)), EADDRINUSE);
	CHECK_ERR(send(s, "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_ERR(recv(s, &c, 1, 0), ENOTCONN);
	CHECK_ERR(
	    getpeername(s, (void *)&a, &(socklen_t){sizeof(a)}), ENOTCONN);
	CHECK_ERR(shutdown(s, SHUT_WR), ENOTCONN);
	CHECK_ERR(accept(s, NULL, NULL), EINVAL);
	CHECK_ERR(bind(s, (void *)&a, 3), EINVAL);
	CHECK_ERR(socket(AF_INET, 99, 0), EINVAL);
	CHECK_ERR(socket(999, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERR(listen(0, 5), ENOTSOCK);
	CHECK(!close(s));
	wait_all(&a, l);
	time_outs();
	back_pressure();
	CHECK(!close(pair[0]) && !close(pair[1]));
	connects(&a, l);
	return 0;
}

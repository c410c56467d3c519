/* SPDX-License-Identifier: BSD-2-Clause */
/* AF_UNIX stream sockets: backlog, shutdown, ends of connections, poll. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "tests/posix/check.h"
#include "tests/posix/socket/unix.h"

#define NAME "@toril stream"

static short events(int fd)
{
	struct pollfd p = {
	    .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI};

	CHECK(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static void *connect_one(void *arg)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(!unix_connect(s, NAME));
	*(int *)arg = s;
	return NULL;
}

/* One more than the backlog wait; the next one blocks or is told EAGAIN. */
static void backlog(void)
{
	int l = unix_bound(SOCK_STREAM, NAME), c[3], s, late;
	pthread_t t;

	CHECK(!listen(l, 1) && events(l) == 0);
	for (int i = 0; i < 2; i++)
		connect_one(&c[i]);
	CHECK(events(l) == POLLIN);
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_ERR(unix_connect(s, NAME), EAGAIN);
	CHECK(!pthread_create(&t, NULL, connect_one, &late));
	CHECK(write(c[0], "early", 5) == 5);
	c[2] = accept(l, NULL, NULL);
	CHECK(!pthread_join(t, NULL));
	CHECK_ERR(unix_connect(s, NAME), EAGAIN);
	CHECK(events(c[2]) == (POLLIN | POLLOUT));
	/* Those that are still queued when the listener goes. */
	CHECK(!close(l));
	CHECK_ERR(unix_connect(s, NAME), ECONNREFUSED);
	printf("not accepted: %x\n", events(c[1]));
	CHECK_ERR(read(c[1], &(char){0}, 1), ECONNRESET);
	CHECK(read(c[1], &(char){0}, 1) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(!close(c[i]));
	CHECK(!close(s) && !close(late));
}

static void shutdowns(void)
{
	char buf[8];
	int s[2];

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	printf("fresh: %x\n", events(s[0]));
	CHECK(write(s[0], "last", 4) == 4);
	CHECK(!shutdown(s[0], SHUT_WR));
	printf("half: %x %x\n", events(s[0]), events(s[1]));
	CHECK_ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(read(s[1], buf, 8) == 4 && read(s[1], buf, 8) == 0);
	CHECK(write(s[1], "ok", 2) == 2 && read(s[0], buf, 8) == 2);
	CHECK(!shutdown(s[0], SHUT_RD));
	printf("both: %x %x\n", events(s[0]), events(s[1]));
	CHECK_ERR(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_ERR(shutdown(s[0], 3), EINVAL);
	CHECK(!close(s[0]));
	printf("closed: %x\n", events(s[1]));
	CHECK(!close(s[1]));
}

static volatile sig_atomic_t pipes;

static void on_pipe(int n)
{
	pipes += n == SIGPIPE;
}

static void resets(void)
{
	char buf[8];
	int s[2], v;
	socklen_t n = sizeof(v);

	signal(SIGPIPE, on_pipe);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK(write(s[0], "unread", 6) == 6 && write(s[1], "read", 4) == 4);
	CHECK(!close(s[1]));
	printf("reset: %x\n", events(s[0]));
	CHECK(read(s[0], buf, 8) == 4);
	CHECK_ERR(write(s[0], "x", 1), EPIPE);
	CHECK(pipes == 1);
	CHECK_ERR(read(s[0], buf, 8), ECONNRESET);
	CHECK(read(s[0], buf, 8) == 0 && !close(s[0]));
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK(write(s[0], "unread", 6) == 6 && !close(s[1]));
	CHECK(!getsockopt(s[0], SOL_SOCKET, SO_ERROR, &v, &n));
	CHECK(v == ECONNRESET);
	CHECK(!getsockopt(s[0], SOL_SOCKET, SO_ERROR, &v, &n) && v == 0);
	CHECK(read(s[0], buf, 8) == 0 && !close(s[0]));
}

/* Full: poll says so, a reader makes room, an edge tells. */
static void back_pressure(void)
{
	static char buf[65536];
	struct epoll_event e = {.events = EPOLLOUT | EPOLLET};
	size_t sent = 0, got = 0;
	int s[2], ep = epoll_create1(0), v;
	ssize_t n;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
	CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, s[0], &e));
	CHECK(epoll_wait(ep, &e, 1, 0) == 1 && e.events == EPOLLOUT);
	CHECK(epoll_wait(ep, &e, 1, 0) == 0);
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (char)(i * 7);
	while ((n = write(s[0], buf, sizeof(buf))) > 0)
		sent += (size_t)n;
	CHECK(errno == EAGAIN && sent > 65536 && events(s[0]) == 0);
	CHECK(!ioctl(s[1], FIONREAD, &v) && (size_t)v == sent);
	while ((n = read(s[1], buf, 5000)) > 0)
		got += (size_t)n;
	CHECK(errno == EAGAIN && got == sent);
	CHECK(epoll_wait(ep, &e, 1, -1) == 1 && e.events == EPOLLOUT);
	CHECK(!close(s[0]) && !close(s[1]) && !close(ep));
}

static void *sender(void *arg)
{
	static char buf[100000];

	for (int i = 0; i < 10; i++) {
		memset(buf, 'a' + i, sizeof(buf));
		CHECK(write(*(int *)arg, buf, sizeof(buf)) == sizeof(buf));
	}
	return NULL;
}

static void large(void)
{
	static char buf[1000000];
	pthread_t t;
	int s[2];

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	CHECK(!pthread_create(&t, NULL, sender, &s[0]));
	CHECK(recv(s[1], buf, sizeof(buf), MSG_WAITALL) == sizeof(buf));
	for (size_t i = 0; i < sizeof(buf); i++)
		CHECK(buf[i] == (char)('a' + i / 100000));
	CHECK(!pthread_join(t, NULL) && !close(s[0]) && !close(s[1]));
}

static void wrong(void)
{
	struct sockaddr_un a;
	socklen_t n = unix_addr(&a, NAME);
	struct timeval tv = {0, 10000};
	char c;
	int s = socket(AF_UNIX, SOCK_STREAM, 0), l, p[2];

	printf("unconnected: %x\n", events(s));
	CHECK_ERR(send(s, "x", 1, 0), ENOTCONN);
	CHECK_ERR(recv(s, &c, 1, 0), EINVAL);
	CHECK_ERR(sendto(s, "x", 1, 0, (void *)&a, n), EOPNOTSUPP);
	CHECK_ERR(getpeername(s, (void *)&a, &n), ENOTCONN);
	CHECK_ERR(connect(s, (void *)&a, unix_addr(&a, NAME)), ECONNREFUSED);
	CHECK(!close(s));
	l = unix_bound(SOCK_STREAM, NAME);
	CHECK(!listen(l, 1) && !shutdown(l, SHUT_RD));
	CHECK_ERR(accept(l, NULL, NULL), EINVAL);
	CHECK(!close(l));
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	CHECK(!setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	CHECK_ERR(recv(p[0], &c, 1, 0), EAGAIN);
	CHECK(!close(p[0]) && !close(p[1]));
}

int main(void)
{
	backlog();
	shutdowns();
	resets();
	back_pressure();
	large();
	wrong();
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* shutdown of a listening socket wakes those who wait for clients. */
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/posix/check.h"

static int l;

static void *in_accept(void *arg)
{
	(void)arg;
	CHECK_ERR(accept(l, NULL, NULL), EINVAL);
	return NULL;
}

static void *in_poll(void *arg)
{
	struct pollfd p = {l, POLLIN, 0};

	(void)arg;
	CHECK(poll(&p, 1, -1) == 1 && p.revents == POLLHUP);
	return NULL;
}

static void *in_epoll(void *arg)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLET};
	int ep = epoll_create1(0);

	(void)arg;
	CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, l, &e) == 0);
	CHECK(epoll_wait(ep, &e, 1, -1) == 1 && e.events == EPOLLHUP);
	CHECK(close(ep) == 0);
	return NULL;
}

static int call(const struct sockaddr_in *a)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(s >= 0);
	if (connect(s, (const void *)a, sizeof(*a)) == 0)
		return s;
	CHECK(errno == ECONNREFUSED && close(s) == 0);
	return -1;
}

static void stop_amid(int how)
{
	static void *(*const waits[])(void *) = {in_accept, in_poll, in_epoll};
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t n = sizeof(a);
	pthread_t t[3];
	int s, on = 1;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(l, (void *)&a, n) == 0 && listen(l, 5) == 0);
	CHECK(getsockname(l, (void *)&a, &n) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&t[i], NULL, waits[i], NULL) == 0);
	usleep(50000); /* most likely they wait by now; right either way */
	CHECK(shutdown(l, SHUT_WR) == 0);
	CHECK(shutdown(l, how) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	CHECK_ERR(accept(l, NULL, NULL), EINVAL);
	CHECK_ERR(shutdown(l, how), ENOTCONN);
	CHECK(call(&a) < 0);
	n = sizeof(on);
	CHECK(getsockopt(l, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && !on);
	CHECK(listen(l, 5) == 0);
	CHECK(getsockopt(l, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on);
	n = sizeof(a);
	CHECK(getsockname(l, (void *)&a, &n) == 0);
	s = call(&a);
	CHECK(s >= 0 && close(s) == 0 && close(l) == 0);
}

/* Clients that were never accepted are reset. */
static void drop_the_queue(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t n = sizeof(a);
	char c;
	int s;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(l, (void *)&a, n) == 0 && listen(l, 5) == 0);
	CHECK(getsockname(l, (void *)&a, &n) == 0);
	s = call(&a);
	CHECK(s >= 0 && send(s, "x", 1, 0) == 1);
	CHECK(shutdown(l, SHUT_RDWR) == 0);
	CHECK_ERR(recv(s, &c, 1, 0), ECONNRESET);
	CHECK(close(s) == 0 && close(l) == 0);
}

int main(void)
{
	stop_amid(SHUT_RD);
	stop_amid(SHUT_RDWR);
	drop_the_queue();
	return 0;
}

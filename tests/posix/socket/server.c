/* SPDX-License-Identifier: BSD-2-Clause */
/* An epoll server and fifty clients at once, in one program. */
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define CLIENTS 50
#define ROUNDS  20

static struct sockaddr_in addr = {.sin_family = AF_INET};

static void *client(void *arg)
{
	char out[100], in[100];
	int s = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(s >= 0 && !connect(s, (void *)&addr, sizeof(addr)));
	for (int i = 0; i < ROUNDS; i++) {
		memset(out, (int)(long)arg + i, sizeof(out));
		CHECK(send(s, out, sizeof(out), 0) == sizeof(out));
		CHECK(recv(s, in, sizeof(in), MSG_WAITALL) == sizeof(in));
		CHECK(!memcmp(in, out, sizeof(in)));
	}
	CHECK(!close(s));
	return NULL;
}

static int serve(int ep, int l, int fd)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP};
	char buf[4096];
	ssize_t n;

	if (fd == l) {
		e.data.fd = accept4(l, NULL, NULL, SOCK_NONBLOCK);
		CHECK(e.data.fd >= 0);
		CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, e.data.fd, &e));
		return 0;
	}
	n = recv(fd, buf, sizeof(buf), 0);
	if (n > 0) {
		CHECK(send(fd, buf, (size_t)n, 0) == n);
		return 0;
	}
	CHECK(n == 0 && !close(fd));
	return 1;
}

int main(void)
{
	struct epoll_event e = {EPOLLIN, {0}}, got[16];
	int ep = epoll_create1(0), l = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(addr);
	pthread_t t[CLIENTS];
	int ended = 0;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(!bind(l, (void *)&addr, len) && !listen(l, 128));
	CHECK(!getsockname(l, (void *)&addr, &len));
	e.data.fd = l;
	CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, l, &e));
	for (long i = 0; i < CLIENTS; i++)
		CHECK(!pthread_create(&t[i], NULL, client, (void *)i));
	while (ended < CLIENTS) {
		int n = epoll_wait(ep, got, 16, -1);
		CHECK(n > 0);
		for (int i = 0; i < n; i++)
			ended += serve(ep, l, got[i].data.fd);
	}
	for (int i = 0; i < CLIENTS; i++)
		CHECK(!pthread_join(t[i], NULL));
	return 0;
}

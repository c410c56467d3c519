/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP within the machine, IPv4 and IPv6: addresses, transfer, half close. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define TOTAL (3u << 20)

union addr {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static void *feed(void *arg)
{
	static unsigned char block[40000];
	int fd = *(int *)arg;

	for (unsigned sent = 0; sent < TOTAL;) {
		unsigned n = TOTAL - sent < sizeof(block)
				 ? TOTAL - sent
				 : (unsigned)sizeof(block);
		ssize_t w;
		for (unsigned i = 0; i < n; i++)
			block[i] = (unsigned char)((sent + i) * 13 >> 4);
		w = send(fd, block, n, 0);
		CHECK(w > 0);
		sent += (unsigned)w;
	}
	CHECK(!shutdown(fd, SHUT_WR));
	return NULL;
}

static void transfer(int from, int to)
{
	static unsigned char buf[65536];
	unsigned got = 0;
	pthread_t t;
	ssize_t n;

	CHECK(!pthread_create(&t, NULL, feed, &from));
	while ((n = recv(to, buf, sizeof(buf), 0)) > 0)
		for (ssize_t i = 0; i < n; i++, got++)
			CHECK(buf[i] == (unsigned char)(got * 13 >> 4));
	CHECK(n == 0 && got == TOTAL && !pthread_join(t, NULL));
}

static void family(int af)
{
	union addr a = {0}, b, c;
	socklen_t len = af == AF_INET ? sizeof(a.v4) : sizeof(a.v6), n;
	int l = socket(af, SOCK_STREAM, IPPROTO_TCP), s, t, one = 1, v;

	CHECK(l >= 0);
	a.sa.sa_family = (sa_family_t)af;
	if (af == AF_INET)
		a.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		a.v6.sin6_addr = in6addr_loopback;
	CHECK(!setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	CHECK(!bind(l, &a.sa, len) && !listen(l, 10));
	n = sizeof(b);
	CHECK(!getsockname(l, &b.sa, &n) && n == len);
	CHECK(b.sa.sa_family == af && b.v4.sin_port != 0);
	n = sizeof(v);
	CHECK(!getsockopt(l, SOL_SOCKET, SO_ACCEPTCONN, &v, &n) && v == 1);
	s = socket(af, SOCK_STREAM, 0);
	CHECK(s >= 0 && !connect(s, &b.sa, len));
	n = sizeof(a);
	t = accept4(l, &a.sa, &n, SOCK_CLOEXEC);
	CHECK(t >= 0 && n == len);
	/* Each sees the other's address. */
	n = sizeof(c);
	CHECK(!getsockname(s, &c.sa, &n) && !memcmp(&a, &c, len));
	n = sizeof(c);
	CHECK(!getpeername(s, &c.sa, &n) && !memcmp(&b, &c, len));
	n = sizeof(c);
	CHECK(!getsockname(t, &c.sa, &n) && !memcmp(&b, &c, len));
	CHECK(!setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	n = sizeof(v);
	CHECK(!getsockopt(s, SOL_SOCKET, SO_TYPE, &v, &n) && v == SOCK_STREAM);
	transfer(s, t);
	transfer(t, s); /* after the other half was closed */
	CHECK(!close(s) && !close(t) && !close(l));
}

int main(void)
{
	family(AF_INET);
	family(AF_INET6);
	return 0;
}

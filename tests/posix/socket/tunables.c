/* SPDX-License-Identifier: BSD-2-Clause */
/* needs root: Options that servers set: what is given back, inherited, refused;
 * several listeners on a port; a close that resets. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define ROUNDS 40

static int tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static void kept(int s, int level, int name, int value, int back)
{
	int got = -12345;
	socklen_t n = sizeof(got);

	if (setsockopt(s, level, name, &value, sizeof(value)) ||
	    getsockopt(s, level, name, &got, &n) || got != back) {
		fprintf(stderr, "%d %d: %d, not %d\n", level, name, got, back);
		CHECK(0);
	}
}

static void integers(void)
{
	int s = tcp(), s6 = socket(AF_INET6, SOCK_STREAM, 0);

	kept(s, SOL_SOCKET, SO_REUSEADDR, 5, 1);
	kept(s, SOL_SOCKET, SO_KEEPALIVE, 1, 1);
	kept(s, SOL_SOCKET, SO_PRIORITY, 3, 3);
	kept(s, SOL_SOCKET, SO_MARK, 7, 7);
	kept(s, IPPROTO_TCP, TCP_NODELAY, 9, 1);
	kept(s, IPPROTO_TCP, TCP_CORK, 1, 1);
	kept(s, IPPROTO_TCP, TCP_KEEPIDLE, 60, 60);
	kept(s, IPPROTO_TCP, TCP_KEEPINTVL, 10, 10);
	kept(s, IPPROTO_TCP, TCP_KEEPCNT, 4, 4);
	kept(s, IPPROTO_TCP, TCP_SYNCNT, 3, 3);
	kept(s, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000, 5000);
	kept(s, IPPROTO_TCP, TCP_FASTOPEN, 5, 5);
	kept(s, IPPROTO_IP, IP_TOS, 0x10, 0x10);
	kept(s, IPPROTO_IP, IP_TTL, 12, 12);
	kept(s, IPPROTO_IP, IP_TTL, -1, 64);
	kept(s, IPPROTO_IP, IP_FREEBIND, 1, 1);
	kept(s, IPPROTO_IP, IP_RECVERR, 1, 1);
	kept(s, IPPROTO_IP, IP_MTU_DISCOVER, 2, 2);
	kept(s6, IPPROTO_IPV6, IPV6_TCLASS, 0x20, 0x20);
	kept(s6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 5, 5);
	kept(s6, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, 1);
	kept(s6, IPPROTO_IPV6, IPV6_V6ONLY, 1, 1);
	CHECK(!close(s) && !close(s6));
}

static int set(int s, int level, int name, int value)
{
	return setsockopt(s, level, name, &value, sizeof(value));
}

static void wrong(void)
{
	int s = tcp(), v;
	socklen_t n = sizeof(v);

	CHECK_ERR(set(s, IPPROTO_TCP, TCP_KEEPIDLE, 0), EINVAL);
	CHECK_ERR(set(s, IPPROTO_TCP, TCP_KEEPCNT, 128), EINVAL);
	CHECK_ERR(set(s, IPPROTO_TCP, 9999, 1), ENOPROTOOPT);
	CHECK_ERR(set(s, IPPROTO_IP, IP_TTL, 256), EINVAL);
	CHECK_ERR(set(s, IPPROTO_IP, IP_MTU_DISCOVER, 9), EINVAL);
	CHECK_ERR(set(s, SOL_SOCKET, 9999, 1), ENOPROTOOPT);
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &v, 1), EINVAL);
	CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, NULL, 4), EFAULT);
	CHECK_ERR(getsockopt(s, IPPROTO_IP, IP_MTU, &v, &n), ENOTCONN);
	CHECK_ERR(
	    setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "nonsense", 8), ENOENT);
	CHECK_ERR(
	    setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "none0", 6), ENODEV);
	CHECK(!setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	CHECK(!setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
	CHECK(!close(s));
}

static void structures(void)
{
	struct tcp_info info;
	struct linger l = {1, 3};
	char name[16] = "";
	int s = tcp();
	socklen_t n = sizeof(info);

	CHECK(!getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &n));
	CHECK(info.tcpi_state == 7 /* TCP_CLOSE */);
	n = sizeof(name);
	CHECK(!getsockopt(s, IPPROTO_TCP, TCP_CONGESTION, name, &n));
	CHECK(n == 16 && name[0]);
	CHECK(!setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5));
	CHECK(!setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
	memset(&l, 0, n = sizeof(l));
	CHECK(!getsockopt(s, SOL_SOCKET, SO_LINGER, &l, &n));
	CHECK(n == sizeof(l) && l.l_onoff == 1 && l.l_linger == 3);
	CHECK(!close(s));
}

/* Bound to a free port, or to that of *a. */
static int listener(struct sockaddr_in *a, bool share)
{
	socklen_t n = sizeof(*a);
	int s = tcp();

	a->sin_family = AF_INET;
	a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (share)
		CHECK(!set(s, SOL_SOCKET, SO_REUSEPORT, 1));
	if (bind(s, (void *)a, n) || listen(s, 128)) {
		close(s);
		return -1;
	}
	CHECK(!getsockname(s, (void *)a, &n));
	return s;
}

static int accept_all(int l)
{
	struct pollfd p = {.fd = l, .events = POLLIN};
	int n = 0;

	for (; poll(&p, 1, 0) == 1; n++)
		CHECK(!close(accept(l, NULL, NULL)));
	return n;
}

static void several_listeners(void)
{
	struct sockaddr_in a = {0};
	int l[2] = {listener(&a, true), listener(&a, true)}, c[ROUNDS], n;

	CHECK(l[0] >= 0 && l[1] >= 0);
	CHECK(listener(&a, false) == -1 && errno == EADDRINUSE);
	for (int i = 0; i < ROUNDS; i++) {
		c[i] = tcp();
		CHECK(!connect(c[i], (void *)&a, sizeof(a)));
	}
	n = accept_all(l[0]);
	CHECK(n > 0 && n < ROUNDS && n + accept_all(l[1]) == ROUNDS);
	for (int i = 0; i < ROUNDS; i++)
		CHECK(!close(c[i]));
	/* One goes, the other has them all. */
	CHECK(!close(l[0]));
	c[0] = tcp();
	CHECK(!connect(c[0], (void *)&a, sizeof(a)) && accept_all(l[1]) == 1);
	CHECK(!close(c[0]) && !close(l[1]));
}

static void inherited(void)
{
	struct sockaddr_in a = {0};
	int l = listener(&a, false), c = tcp(), s, v;
	struct linger now = {1, 0};
	socklen_t n = sizeof(v);
	char byte;

	CHECK(!set(l, IPPROTO_TCP, TCP_NODELAY, 1));
	CHECK(!set(l, IPPROTO_TCP, TCP_KEEPIDLE, 33));
	CHECK(!connect(c, (void *)&a, sizeof(a)));
	CHECK((s = accept(l, NULL, NULL)) >= 0);
	CHECK(!getsockopt(s, IPPROTO_TCP, TCP_NODELAY, &v, &n) && v == 1);
	CHECK(!getsockopt(s, IPPROTO_TCP, TCP_KEEPIDLE, &v, &n) && v == 33);
	CHECK(!setsockopt(s, SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	CHECK(!close(s));
	CHECK_ERR(recv(c, &byte, 1, 0), ECONNRESET);
	CHECK(!close(c) && !close(l));
}

int main(void)
{
	integers();
	wrong();
	structures();
	several_listeners();
	inherited();
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP on loopback: both families, connected or not, ports, errors. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/posix/check.h"

union addr {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t loopback(union addr *a, int family, int port)
{
	memset(a, 0, sizeof(*a));
	a->any.sa_family = (sa_family_t)family;
	a->v4.sin_port = htons((uint16_t)port);
	if (family == AF_INET6) {
		a->v6.sin6_addr = in6addr_loopback;
		return sizeof(a->v6);
	}
	a->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(a->v4);
}

/* Bound to loopback's address; its own in *a. */
static int bound(int family, union addr *a)
{
	socklen_t n = loopback(a, family, 0);
	int s = socket(family, SOCK_DGRAM, 0);

	CHECK(s >= 0 && !bind(s, &a->any, n));
	CHECK(!getsockname(s, &a->any, &n));
	CHECK(a->v4.sin_port);
	return s;
}

static short events(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	CHECK(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static void exchange(int family)
{
	union addr a, b, from;
	socklen_t n = sizeof(from), len;
	int s = bound(family, &a), t = bound(family, &b), v;
	char buf[16];

	len = loopback(&from, family, 0);
	CHECK(events(s) == POLLOUT);
	CHECK(sendto(t, "datagram", 8, 0, &a.any, len) == 8);
	CHECK(sendto(t, "", 0, 0, &a.any, len) == 0);
	CHECK(events(s) == (POLLIN | POLLOUT));
	CHECK(!ioctl(s, FIONREAD, &v) && v == 8);
	CHECK(recv(s, buf, 4, MSG_PEEK | MSG_TRUNC) == 8);
	CHECK(recvfrom(s, buf, 16, 0, &from.any, &n) == 8 && n == len);
	CHECK(!memcmp(&from, &b, n) && !memcmp(buf, "datagram", 8));
	CHECK(recv(s, buf, 16, 0) == 0);
	CHECK_ERR(recv(s, buf, 16, MSG_DONTWAIT), EAGAIN);
	CHECK_ERR(send(t, "x", 1, 0), EDESTADDRREQ);
	CHECK(!connect(t, &a.any, len) && send(t, "conn", 4, 0) == 4);
	CHECK(recv(s, buf, 16, 0) == 4);
	/* A connected socket hears its peer only. */
	v = bound(family, &from);
	CHECK(sendto(v, "no", 2, 0, &b.any, len) == 2);
	CHECK(sendto(s, "yes", 3, 0, &b.any, len) == 3);
	CHECK(recv(t, buf, 16, 0) == 3 && events(t) == POLLOUT);
	/* Nobody there: the sender learns on its next call. */
	CHECK(!close(s));
	CHECK(send(t, "lost", 4, 0) == 4);
	printf("refused: %x\n", events(t));
	CHECK_ERR(recv(t, buf, 16, 0), ECONNREFUSED);
	CHECK(send(t, "lost", 4, 0) == 4);
	CHECK_ERR(send(t, "lost", 4, 0), ECONNREFUSED);
	CHECK(sendto(v, "lost", 4, 0, &a.any, len) == 4);
	CHECK_ERR(recv(v, buf, 1, MSG_DONTWAIT), EAGAIN);
	a.any.sa_family = AF_UNSPEC;
	CHECK(!connect(t, &a.any, len));
	CHECK_ERR(getpeername(t, &a.any, &n), ENOTCONN);
	CHECK(!close(t) && !close(v));
}

/* One socket for both families. */
static void dual_stack(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6}, from;
	socklen_t n = sizeof(any);
	union addr to;
	int s = socket(AF_INET6, SOCK_DGRAM, 0), on = 1;
	int t = socket(AF_INET, SOCK_DGRAM, 0), port;
	char text[64], c;

	CHECK(!bind(s, (void *)&any, n) && !getsockname(s, (void *)&any, &n));
	port = ntohs(any.sin6_port);
	loopback(&to, AF_INET, port);
	CHECK_ERR(bind(t, &to.any, sizeof(to.v4)), EADDRINUSE);
	CHECK(sendto(t, "4", 1, 0, &to.any, sizeof(to.v4)) == 1);
	CHECK(recvfrom(s, &c, 1, 0, (void *)&from, &n) == 1 && c == '4');
	CHECK(inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof(text)));
	CHECK(!strcmp(text, "::ffff:127.0.0.1"));
	CHECK(sendto(s, "back", 4, 0, (void *)&from, n) == 4);
	CHECK(recv(t, text, 64, 0) == 4 && !close(t) && !close(s));
	s = socket(AF_INET6, SOCK_DGRAM, 0);
	CHECK(!setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
	CHECK(!bind(s, (void *)&any, sizeof(any)));
	t = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(!bind(t, &to.any, sizeof(to.v4)));
	CHECK_ERR(sendto(s, "x", 1, 0, (void *)&from, n), ENETUNREACH);
	CHECK(!close(s) && !close(t));
}

static void reuse(void)
{
	union addr a;
	int s = bound(AF_INET, &a), t, on = 1, got = 0;
	socklen_t n = sizeof(a.v4);
	char c;

	t = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_ERR(bind(t, &a.any, n), EADDRINUSE);
	CHECK(!close(s));
	s = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(!setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
	CHECK(!setsockopt(t, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)));
	CHECK(!bind(s, &a.any, n) && !bind(t, &a.any, n));
	for (int i = 0; i < 64; i++) { /* each from another port */
		int from = socket(AF_INET, SOCK_DGRAM, 0);
		CHECK(sendto(from, "x", 1, 0, &a.any, n) == 1);
		CHECK(!close(from));
	}
	while (recv(s, &c, 1, MSG_DONTWAIT) == 1)
		got++;
	CHECK(got > 0 && got < 64); /* both have some */
	while (recv(t, &c, 1, MSG_DONTWAIT) == 1)
		got++;
	CHECK(got == 64 && !close(s) && !close(t));
}

static void destination(void)
{
	union addr a;
	_Alignas(struct cmsghdr) char control[128];
	struct iovec iov = {&(char){0}, 1};
	struct msghdr m = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = sizeof(control)};
	struct in_pktinfo info;
	int s = bound(AF_INET, &a), on = 1;

	CHECK(!setsockopt(s, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)));
	CHECK(sendto(s, "x", 1, 0, &a.any, sizeof(a.v4)) == 1);
	CHECK(recvmsg(s, &m, 0) == 1);
	CHECK(CMSG_FIRSTHDR(&m)->cmsg_type == IP_PKTINFO);
	memcpy(&info, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(info));
	CHECK(info.ipi_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(info.ipi_ifindex == 1 && !close(s));
}

static void wrong(void)
{
	static char buf[70000];
	union addr a;
	socklen_t n = loopback(&a, AF_INET, 0);
	int s = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);

	CHECK_ERR(shutdown(s, SHUT_WR), ENOTCONN);
	CHECK(!close(s));
	s = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_ERR(sendto(s, "x", 1, 0, &a.any, n), EINVAL); /* port 0 */
	CHECK_ERR(listen(s, 1), EOPNOTSUPP);
	CHECK_ERR(accept(s, NULL, NULL), EOPNOTSUPP);
	a.v4.sin_port = htons(9);
	CHECK_ERR(sendto(s, buf, 65508, 0, &a.any, n), EMSGSIZE);
	CHECK_ERR(sendto(s, "x", 1, 0, &a.any, 4), EINVAL);
	a.v4.sin_addr.s_addr = INADDR_BROADCAST;
	CHECK_ERR(sendto(s, "x", 1, 0, &a.any, n), EACCES);
	a.v4.sin_addr.s_addr = inet_addr("192.0.2.1");
	CHECK_ERR(bind(s, &a.any, n), EADDRNOTAVAIL);
	CHECK_ERR(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
	CHECK(!close(s));
	/* As large as they get, and the end of a socket that is connected. */
	s = bound(AF_INET, &a);
	CHECK(!connect(s, &a.any, n) && send(s, buf, 65507, 0) == 65507);
	CHECK(recv(s, buf, sizeof(buf), 0) == 65507);
	CHECK(!shutdown(s, SHUT_RDWR) && recv(s, buf, 1, 0) == 0);
	CHECK_ERR(send(s, "x", 1, MSG_NOSIGNAL), EPIPE);
	printf("shut: %x\n", events(s));
	CHECK(!close(s));
}

int main(void)
{
	exchange(AF_INET);
	exchange(AF_INET6);
	dual_stack();
	reuse();
	destination();
	wrong();
	return 0;
}

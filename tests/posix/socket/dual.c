/* SPDX-License-Identifier: BSD-2-Clause */
/* One port of IPv6 and IPv4: mapped addresses, IPV6_V6ONLY. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/posix/check.h"

int main(void)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6}, peer;
	struct sockaddr_in b = {.sin_family = AF_INET};
	int l = socket(AF_INET6, SOCK_STREAM, 0), l4, s, t, on = 1, off = 0;
	socklen_t n = sizeof(a);
	char text[INET6_ADDRSTRLEN];

	CHECK(!setsockopt(l, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)));
	CHECK(!bind(l, (void *)&a, sizeof(a)) && !listen(l, 5));
	CHECK(!getsockname(l, (void *)&a, &n));
	b.sin_port = a.sin6_port;
	b.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!connect(s, (void *)&b, sizeof(b)));
	n = sizeof(peer);
	t = accept(l, (void *)&peer, &n);
	CHECK(t >= 0 && IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
	puts(inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof(text)));
	CHECK(!close(s) && !close(t));
	l4 = socket(AF_INET, SOCK_STREAM, 0);
	b.sin_addr.s_addr = 0;
	CHECK_ERR(bind(l4, (void *)&b, sizeof(b)), EADDRINUSE);
	CHECK(!close(l));
	/* With V6ONLY each family has the port to itself. */
	l = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK(!setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	CHECK(!setsockopt(l4, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	CHECK(!setsockopt(l, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
	CHECK(!bind(l, (void *)&a, sizeof(a)) && !listen(l, 5));
	CHECK(!bind(l4, (void *)&b, sizeof(b)) && !listen(l4, 5));
	return 0;
}

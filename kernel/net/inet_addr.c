/* SPDX-License-Identifier: BSD-2-Clause */
/* Internet addresses; see inet_addr.h. */
#include "kernel/net/inet_addr.h"
#include <linux/in.h>
#include <linux/in6.h>
#include "kernel/lib/string.h"
#include "kernel/net/socket.h"
#include "kernel/net/socket_abi.h"

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};
static const uint8_t zeros[16];

bool inet_is_v4(const struct inet_addr *a)
{
	return !memcmp(a->ip, v4_prefix, 12);
}

bool inet_is_any(const struct inet_addr *a)
{
	return inet_is_v4(a) ? !memcmp(a->ip + 12, zeros, 4)
			     : !memcmp(a->ip, zeros, 16);
}

bool inet_is_loopback(const struct inet_addr *a)
{
	if (inet_is_v4(a))
		return a->ip[12] == 127;
	return !memcmp(a->ip, zeros, 15) && a->ip[15] == 1;
}

void inet_any_v4(struct inet_addr *a)
{
	memcpy(a->ip, v4_prefix, 12);
	memset(a->ip + 12, 0, 4);
	a->port = 0;
}

void inet_loopback_v4(struct inet_addr *a, uint16_t port)
{
	inet_any_v4(a);
	a->ip[12] = 127;
	a->ip[15] = 1;
	a->port = port;
}

void inet_loopback_like(struct inet_addr *a)
{
	if (inet_is_v4(a))
		inet_loopback_v4(a, a->port);
	else
		a->ip[15] = 1;
}

static uint16_t swap16(uint16_t v)
{
	return (uint16_t)(v << 8 | v >> 8);
}

int inet_import(const struct sock_addr *s, int family, struct inet_addr *a)
{
	const struct sockaddr_in *v4 = (const void *)s->bytes;
	const struct sockaddr_in6 *v6 = (const void *)s->bytes;

	if (s->len < sizeof(s->family))
		return -EINVAL;
	if (s->family != family)
		return -EAFNOSUPPORT;
	if (family == AF_INET) {
		if (s->len < sizeof(*v4))
			return -EINVAL;
		inet_any_v4(a);
		memcpy(a->ip + 12, &v4->sin_addr, 4);
		a->port = swap16(v4->sin_port);
		return 0;
	}
	if (s->len < 24) /* without the scope id, as RFC 2133 had it */
		return -EINVAL;
	memcpy(a->ip, &v6->sin6_addr, 16);
	a->port = swap16(v6->sin6_port);
	return 0;
}

void inet_export(const struct inet_addr *a, int family, struct sock_addr *s)
{
	struct sockaddr_in *v4 = (void *)s->bytes;
	struct sockaddr_in6 *v6 = (void *)s->bytes;

	memset(s, 0, sizeof(*s));
	s->family = (uint16_t)family;
	if (family == AF_INET) {
		s->len = sizeof(*v4);
		memcpy(&v4->sin_addr, a->ip + 12, 4);
		v4->sin_port = swap16(a->port);
	} else {
		s->len = sizeof(*v6);
		memcpy(&v6->sin6_addr, a->ip, 16);
		v6->sin6_port = swap16(a->port);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SOCKS messages; see socks.h.
 */
#include "host/socks.h"

#include <errno.h>
#include <string.h>

#include "host/rules.h"

enum { SOCKS_V4 = 1, SOCKS_NAME = 3, SOCKS_V6 = 4, SOCKS_CONNECT = 1 };

int socks_greeting_len(const uint8_t *msg, size_t len)
{
	if (len && msg[0] != 5)
		return -EPROTO;
	return len < 2 ? 0 : 2 + msg[1];
}

int socks_greeting_suits(const uint8_t *msg)
{
	return memchr(msg + 2, 0, msg[1]) != NULL;
}

int socks_request_len(const uint8_t *msg, size_t len)
{
	if (len && msg[0] != 5)
		return -EPROTO;
	if (len < 5)
		return 0;
	switch (msg[3]) {
	case SOCKS_V4:
		return 4 + 4 + 2;
	case SOCKS_V6:
		return 4 + 16 + 2;
	case SOCKS_NAME:
		return 4 + 1 + msg[4] + 2;
	}
	return 5; /* unknown: enough to answer so */
}

enum socks_reply socks_parse(struct socks_request *r, const uint8_t *msg)
{
	const uint8_t *at = msg + 4;

	memset(r, 0, sizeof(*r));
	if (msg[3] == SOCKS_V4) {
		r->addr = addr_map4(at);
		at += 4;
	} else if (msg[3] == SOCKS_V6) {
		memcpy(&r->addr, at, 16);
		at += 16;
	} else if (msg[3] == SOCKS_NAME && *at && !memchr(at + 1, 0, *at)) {
		memcpy(r->name, at + 1, *at);
		at += 1 + *at;
	} else {
		return SOCKS_BAD_ADDRESS;
	}
	r->port = (uint16_t)(at[0] << 8 | at[1]);
	return msg[1] == SOCKS_CONNECT ? SOCKS_OK : SOCKS_BAD_COMMAND;
}

size_t socks_reply_put(
    uint8_t *to, enum socks_reply reply, const struct sockaddr *bound)
{
	const struct sockaddr_in *v4 = (const void *)bound;
	const struct sockaddr_in6 *v6 = (const void *)bound;
	bool six = bound && bound->sa_family == AF_INET6;
	size_t n = six ? 16 : 4;

	memset(to, 0, SOCKS_REPLY_MAX);
	to[0] = 5;
	to[1] = (uint8_t)reply;
	to[3] = six ? SOCKS_V6 : SOCKS_V4;
	if (bound) {
		memcpy(to + 4,
		    six ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr, n);
		memcpy(to + 4 + n, six ? &v6->sin6_port : &v4->sin_port, 2);
	}
	return 4 + n + 2;
}

enum socks_reply socks_reply_of(int error)
{
	switch (error) {
	case -ECONNREFUSED:
		return SOCKS_REFUSED;
	case -ENETUNREACH:
		return SOCKS_NET_UNREACHABLE;
	case -EHOSTUNREACH:
	case -ETIMEDOUT:
		return SOCKS_HOST_UNREACHABLE;
	}
	return SOCKS_FAILED;
}

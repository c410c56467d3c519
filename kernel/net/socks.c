/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SOCKS version 5, client side (RFC 1928), as a filter in front of an
 * outgoing connection.  No authentication; greeting and request go out
 * together, as the server's choice can only be that.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/inet_addr.h"
#include "kernel/net/vsock.h"

enum { PHASE_START, PHASE_METHOD, PHASE_REPLY };

struct socks {
	int phase;
	struct inet_addr to;
};

static const uint8_t reply_errno[] = {0, ECONNREFUSED, EACCES, ENETUNREACH,
    EHOSTUNREACH, ECONNREFUSED, ETIMEDOUT, EOPNOTSUPP, EAFNOSUPPORT};

static void request(struct vsock_conn *c, const struct inet_addr *to)
{
	uint8_t b[3 + 4 + 16 + 2] = {5, 1, 0, 5, 1, 0};
	size_t n = 7;

	if (inet_is_v4(to)) {
		b[6] = 1;
		memcpy(b + n, to->ip + 12, 4);
		n += 4;
	} else {
		b[6] = 4;
		memcpy(b + n, to->ip, 16);
		n += 16;
	}
	b[n++] = (uint8_t)(to->port >> 8);
	b[n++] = (uint8_t)to->port;
	vsock_send_raw(c, b, n);
}

static void fail(struct vsock_conn *c, int error)
{
	kfree(c->owner);
	c->owner = NULL;
	vsock_kill(c, error);
}

static bool reply(struct vsock_conn *c)
{
	uint8_t b[5];
	size_t len;

	if (byteq_peek(&c->rx, b, sizeof(b)) < sizeof(b))
		return false;
	if (b[0] != 5 || (b[3] != 1 && b[3] != 3 && b[3] != 4)) {
		fail(c, EPROTO);
		return false;
	}
	if (b[1]) {
		fail(c, b[1] < sizeof(reply_errno) ? reply_errno[b[1]]
						   : ECONNREFUSED);
		return false;
	}
	len = 6 + (b[3] == 1 ? 4 : b[3] == 4 ? 16 : 1u + b[4]);
	if (byteq_bytes(&c->rx) < len)
		return false;
	vsock_consume(c, len);
	kfree(c->owner);
	c->owner = NULL;
	return true;
}

static bool socks_filter(struct vsock_conn *c)
{
	struct socks *s = c->owner;
	uint8_t b[2];

	if (c->state == VSOCK_DEAD) {
		kfree(s);
		c->owner = NULL;
	}
	if (c->state != VSOCK_CONNECTED || !s)
		return false;
	if (s->phase == PHASE_START) {
		s->phase = PHASE_METHOD;
		request(c, &s->to);
	}
	if (s->phase == PHASE_METHOD) {
		if (byteq_peek(&c->rx, b, 2) < 2)
			return false;
		if (b[0] != 5 || b[1] != 0) {
			fail(c, EACCES);
			return false;
		}
		vsock_consume(c, 2);
		s->phase = PHASE_REPLY;
	}
	return reply(c);
}

struct vsock_conn *socks_connect(
    uint32_t port, const struct inet_addr *to, int *err)
{
	struct socks *s = kzalloc(sizeof(*s));
	struct vsock_conn *c;

	if (!s) {
		*err = -ENOBUFS;
		return NULL;
	}
	s->to = *to;
	c = vsock_connect(port, socks_filter, s, err);
	if (!c)
		kfree(s);
	return c;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Name service; see resolver.h.
 *
 * Each query is one vsock connection to the launcher, framed as over TCP (RFC
 * 1035, 4.2.2); a filter carries it in the receiving thread and ends it when
 * the answer is there.  The C library keeps asking a server that refuses
 * until its time-out, so a refusal becomes "no such name".  Without a launcher
 * that lets anything out no name is known, which is said at once.
 */
#include "kernel/net/resolver.h"
#include "kernel/control/wire.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/inet.h"
#include "kernel/net/inet_addr.h"
#include "kernel/net/vsock.h"

#define PORT          53
#define MESSAGE_MAX   4096u
#define HEADER        12u /* id, flags, four counts */
#define RESPONSE      0x80u
#define RECURSION     0x80u /* available: of the second byte of flags */
#define RCODE         0x0fu
#define RCODE_NO_NAME 3u
#define RCODE_REFUSED 5u

struct query {
	uint64_t id;
	struct inet_addr server;
	bool sent;
	size_t len;
	uint8_t text[]; /* with the two bytes of its length in front */
};

bool resolver_takes(const struct inet_addr *to)
{
	return to->port == PORT;
}

static void answer(struct query *q, uint8_t *text, size_t n)
{
	if ((text[3] & RCODE) == RCODE_REFUSED)
		text[3] = (uint8_t)((text[3] & ~RCODE) | RCODE_NO_NAME);
	udp_answer(q->id, &q->server, text, n);
}

/* The query itself, as an answer that says no. */
static void deny(struct query *q)
{
	uint8_t *text = q->text + 2;

	text[2] |= RESPONSE;
	text[3] = RECURSION | RCODE_NO_NAME;
	udp_answer(q->id, &q->server, text, q->len);
}

/* The filter's user of the connection is the query.  The caller of the filter
 * has a reference of its own. */
static void finish(struct vsock_conn *c)
{
	kfree(c->owner);
	c->owner = NULL;
	c->s.ops->close(&c->s);
}

static void reply(struct vsock_conn *c, struct query *q)
{
	uint8_t head[2], *text;
	size_t n;

	if (byteq_peek(&c->rx, head, 2) < 2)
		return;
	n = (size_t)head[0] << 8 | head[1];
	if (n >= HEADER && n <= MESSAGE_MAX && byteq_bytes(&c->rx) < n + 2)
		return;
	text = n >= HEADER && n <= MESSAGE_MAX ? kmalloc(n) : NULL;
	if (text) {
		vsock_consume(c, 2);
		(void)byteq_peek(&c->rx, text, n);
		vsock_consume(c, n);
		answer(q, text, n);
		kfree(text);
	}
	finish(c);
}

/* Never done: the connection has no user but this. */
static bool resolver_filter(struct vsock_conn *c)
{
	struct query *q = c->owner;

	if (!q)
		return false;
	if (c->state == VSOCK_DEAD)
		finish(c);
	if (c->state != VSOCK_CONNECTED)
		return false;
	if (!q->sent) {
		q->sent = true;
		vsock_send_raw(c, q->text, q->len + 2);
	}
	if (c->state == VSOCK_DEAD)
		finish(c); /* it could not be sent */
	else
		reply(c, q);
	return false;
}

void resolver_ask(
    uint64_t id, const struct inet_addr *to, const void *query, size_t n)
{
	struct query *q;
	struct vsock_conn *c;
	int err;

	if (n < HEADER || n > MESSAGE_MAX)
		return;
	q = kmalloc(sizeof(*q) + 2 + n);
	if (!q)
		return;
	*q = (struct query){.id = id, .server = *to, .len = n};
	q->text[0] = (uint8_t)(n >> 8);
	q->text[1] = (uint8_t)n;
	memcpy(q->text + 2, query, n);
	if (!inet_socks_port()) {
		deny(q);
		kfree(q);
		return;
	}
	c = vsock_connect(
	    inet_socks_port() - CTL_PORT_SOCKS + CTL_PORT_RESOLVER,
	    resolver_filter, q, &err);
	if (!c)
		kfree(q);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's name server: DNS messages, framed as for TCP (RFC 7766), are
 * answered by the host's own resolver, but only for names that a --connect
 * rule allows; their addresses are pinned to that rule.
 */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "host/dns.h"
#include "host/lookup.h"
#include "host/run.h"

#define QUESTIONS_MAX 16 /* underway, per stream */
#define RESOLVERS_MAX 64 /* streams */

static unsigned resolvers;

struct resolver {
	struct vsock_stream *s;
	struct buf in, out;
	unsigned underway;
	bool ended, gone;
};

/* One question whose answer is being looked up. */
struct question {
	struct resolver *r;
	struct dns_query q;
	uint8_t msg[DNS_MESSAGE_MAX];
};

static void resolver_free(struct resolver *r)
{
	if (!r->gone || r->underway)
		return;
	buf_drop(&r->in);
	buf_drop(&r->out);
	loop_free(r);
	resolvers--;
}

static void question_done(struct lookup *l, void *arg)
{
	struct question *qu = arg;
	struct resolver *r = qu->r;
	enum dns_rcode rcode = DNS_OK;

	if (l->error == EAI_NONAME || l->error == EAI_NODATA)
		rcode = DNS_NO_NAME;
	else if (l->error)
		rcode = DNS_FAILED;
	if (!l->reverse && !l->error &&
	    !rules_screen(&run.opt.outbound, l->name, &l->found))
		rcode = DNS_REFUSED;
	else if (!l->reverse && !l->error)
		rules_pin(&run.opt.outbound, l->name, &l->found);
	r->underway--;
	if (!r->gone) {
		const struct rule_pins *pins =
		    rules_pins(&run.opt.outbound, l->name);

		dns_answer(&r->out, qu->msg, &qu->q, rcode,
		    pins ? pins : &l->found,
		    l->reverse && !l->error ? l->name : NULL);
		vsock_in_ready(r->s);
	}
	free(qu);
	resolver_free(r);
}

static void question_ask(struct resolver *r, const struct dns_query *q,
    const uint8_t *msg, const struct in6_addr *addr)
{
	struct question *qu = must_alloc(sizeof(*qu));

	qu->r = r;
	qu->q = *q;
	memcpy(qu->msg, msg, q->len);
	if (r->underway < QUESTIONS_MAX &&
	    lookup_start(addr ? NULL : q->name, addr, question_done, qu)) {
		r->underway++;
		return;
	}
	free(qu);
	dns_answer(&r->out, msg, q, DNS_FAILED, NULL, NULL);
}

static void resolver_reverse(
    struct resolver *r, const struct dns_query *q, const uint8_t *msg)
{
	struct rules *rules = &run.opt.outbound;
	struct in6_addr addr;
	const char *name;

	if (dns_reverse(q->name, &addr)) {
		dns_answer(&r->out, msg, q, DNS_NO_NAME, NULL, NULL);
		return;
	}
	name = rules_name_of(rules, &addr);
	if (name)
		dns_answer(&r->out, msg, q, DNS_OK, NULL, name);
	else if (rules_allow(rules, &addr, 0))
		question_ask(r, q, msg, &addr);
	else
		dns_answer(&r->out, msg, q, DNS_REFUSED, NULL, NULL);
}

static int resolver_message(struct resolver *r, const uint8_t *msg, size_t len)
{
	const struct rule_pins *pins;
	struct dns_query q;

	if (dns_parse(&q, msg, len))
		return -EPROTO;
	pins = rules_pins(&run.opt.outbound, q.name);
	if (q.type == DNS_PTR)
		resolver_reverse(r, &q, msg);
	else if (!rules_allow_name(&run.opt.outbound, q.name, 0))
		dns_answer(&r->out, msg, &q, DNS_REFUSED, NULL, NULL);
	else if (q.type != DNS_A && q.type != DNS_AAAA)
		dns_answer(&r->out, msg, &q, DNS_OK, NULL, NULL);
	else if (pins)
		dns_answer(&r->out, msg, &q, DNS_OK, pins, NULL);
	else
		question_ask(r, &q, msg, NULL);
	vsock_in_ready(r->s);
	return 0;
}

static ssize_t resolver_out(
    struct vsock_stream *s, const struct iovec *iov, int n)
{
	struct resolver *r = s->arg;
	ssize_t took = 0;

	if (buf_len(&r->out) > 65536)
		return -EAGAIN; /* let it read its answers first */
	for (int i = 0; i < n; i++) {
		buf_add(&r->in, iov[i].iov_base, iov[i].iov_len);
		took += (ssize_t)iov[i].iov_len;
	}
	while (buf_len(&r->in) >= 2) {
		const uint8_t *at = buf_at(&r->in);
		size_t len = (size_t)at[0] << 8 | at[1];

		if (len > DNS_MESSAGE_MAX)
			return -EPROTO;
		if (buf_len(&r->in) < 2 + len)
			break;
		if (resolver_message(r, at + 2, len))
			return -EPROTO;
		buf_take(&r->in, 2 + len);
	}
	return took;
}

static ssize_t resolver_in(struct vsock_stream *s, struct iovec *iov, int n)
{
	struct resolver *r = s->arg;
	size_t len = iov_write(iov, n, 0, buf_at(&r->out), buf_len(&r->out));

	buf_take(&r->out, len);
	vsock_out_ready(s);
	if (len)
		return (ssize_t)len;
	return r->ended && !r->underway ? 0 : -EAGAIN;
}

static void resolver_out_end(struct vsock_stream *s)
{
	struct resolver *r = s->arg;

	r->ended = true;
	vsock_in_ready(s);
}

static void resolver_closed(struct vsock_stream *s, int err)
{
	struct resolver *r = s->arg;

	(void)err;
	r->gone = true;
	resolver_free(r);
}

static const struct vsock_user resolver_user = {
    .in = resolver_in,
    .out = resolver_out,
    .out_end = resolver_out_end,
    .closed = resolver_closed,
};

int resolver_accept(struct run *r, struct vsock_stream *s)
{
	struct resolver *res;

	(void)r;
	if (resolvers == RESOLVERS_MAX)
		return -ECONNREFUSED;
	resolvers++;
	res = must_alloc(sizeof(*res));
	res->s = s;
	s->user = &resolver_user;
	s->arg = res;
	return 0;
}

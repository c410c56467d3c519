/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams within the guest: loopback TCP.
 *
 * Two ends share one object that lives until both are closed.  Each end owns
 * the queue that it reads; the peer writes into it up to QUEUE_LIMIT.
 */
#include "kernel/fs/file.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/byteq.h"
#include "kernel/net/stream.h"

#define QUEUE_LIMIT (64 * KIB)

struct local_pair;

struct local_end {
	struct stream s;
	struct local_pair *pair;
	struct byteq in;
	bool shut_recv, shut_send; /* [a] */
	bool reset;                /* [a] the peer dropped unread data */
	bool closed;               /* [a] */
};

struct local_pair {
	struct local_end end[2];
	uint32_t refs; /* [a] */
};

static struct local_end *to_end(struct stream *s)
{
	return container_of(s, struct local_end, s);
}

static struct local_end *peer_of(struct local_end *e)
{
	return e == &e->pair->end[0] ? &e->pair->end[1] : &e->pair->end[0];
}

static void wake_both(struct local_end *e)
{
	waitq_wake_sync(&e->s.wait, 0);
	waitq_wake_sync(&peer_of(e)->s.wait, 0);
}

static bool send_is_over(struct local_end *e)
{
	struct local_end *p = peer_of(e);

	return e->shut_send || p->shut_recv || p->closed;
}

static ssize_t local_send(struct stream *s, struct iov_iter *it)
{
	struct local_end *e = to_end(s), *p = peer_of(e);
	size_t used;
	ssize_t r;

	if (e->reset && !e->shut_send) {
		e->reset = false;
		return -ECONNRESET;
	}
	if (send_is_over(e))
		return -EPIPE;
	used = byteq_bytes(&p->in);
	if (used >= QUEUE_LIMIT)
		return -EAGAIN;
	r = byteq_write(&p->in, it, QUEUE_LIMIT - used);
	if (r > 0)
		waitq_wake_sync(&p->s.wait, POLL_IN);
	return r == -ENOMEM ? -ENOBUFS : r;
}

static ssize_t local_recv(struct stream *s, struct iov_iter *it, bool peek)
{
	struct local_end *e = to_end(s), *p = peer_of(e);
	bool over = p->shut_send || p->closed || e->shut_recv;
	ssize_t r = byteq_read(&e->in, it, peek);

	if (r > 0 && !peek)
		waitq_wake_sync(&p->s.wait, POLL_OUT);
	if (r)
		return r;
	if (e->reset) {
		e->reset = false;
		return -ECONNRESET;
	}
	/* `over` was read first: data sent before the end is never missed */
	return over && !byteq_bytes(&e->in) ? 0 : -EAGAIN;
}

static unsigned local_poll(struct stream *s)
{
	struct local_end *e = to_end(s), *p = peer_of(e);
	bool no_more = p->shut_send || p->closed || e->shut_recv;
	unsigned ev = 0;

	if (byteq_bytes(&e->in) || no_more)
		ev |= POLL_IN;
	if (no_more)
		ev |= POLL_RDHUP;
	if (send_is_over(e) || byteq_bytes(&p->in) < QUEUE_LIMIT / 2)
		ev |= POLL_OUT;
	if (p->closed || (no_more && e->shut_send))
		ev |= POLL_HUP;
	if (e->reset)
		ev |= POLL_ERR;
	return ev;
}

static size_t local_pending(struct stream *s)
{
	return byteq_bytes(&to_end(s)->in);
}

static void local_shutdown(struct stream *s, unsigned how)
{
	struct local_end *e = to_end(s);

	if (how & STREAM_SHUT_RECV)
		e->shut_recv = true;
	if (how & STREAM_SHUT_SEND)
		e->shut_send = true;
	wake_both(e);
}

static void local_close(struct stream *s)
{
	struct local_end *e = to_end(s);
	struct local_pair *pair = e->pair;

	if (byteq_bytes(&e->in))
		peer_of(e)->reset = true;
	e->closed = true;
	wake_both(e);
	if (__atomic_sub_fetch(&pair->refs, 1, __ATOMIC_ACQ_REL))
		return;
	byteq_destroy(&pair->end[0].in);
	byteq_destroy(&pair->end[1].in);
	kfree(pair);
}

void local_reset(struct stream *s)
{
	peer_of(to_end(s))->reset = true;
}

static const struct stream_ops local_ops = {
    .send = local_send,
    .recv = local_recv,
    .poll = local_poll,
    .pending = local_pending,
    .shutdown = local_shutdown,
    .close = local_close,
};

int local_pair(struct stream **a, struct stream **b)
{
	struct local_pair *p = kzalloc(sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->refs = 2;
	for (int i = 0; i < 2; i++) {
		stream_init(&p->end[i].s, &local_ops);
		byteq_init(&p->end[i].in);
		p->end[i].pair = p;
	}
	*a = &p->end[0].s;
	*b = &p->end[1].s;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vsock: packets from the peer, in the one receiving thread; see vsock.h.
 *
 * The peer is not trusted.  One that sends beyond the window that it was
 * promised, or what its connection's state does not allow, is reset: so what
 * it can make us hold is bounded.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/vsock_internal.h"
#include "kernel/sched/clock.h"

/* Let data pass a protocol in front of the connection, then give it to the
 * listener.  In the receiving thread. */
static void run_filter(struct vsock_conn *c)
{
	struct vsock_listener *l;
	bool dead;

	if (!vsock_filter(c))
		return;
	spin_lock(&vsock_lock);
	c->deadline = DEADLINE_NEVER;
	l = c->listener;
	c->listener = NULL;
	dead = c->state == VSOCK_DEAD;
	if (!dead)
		vsock_accepting = l;
	spin_unlock(&vsock_lock);
	if (dead || !l)
		return;
	if (!l->accept(l, c)) {
		vsock_kill(c, ECONNRESET);
		vsock_conn_put(c); /* the user's reference: nobody took it */
	}
	spin_lock(&vsock_lock);
	vsock_accepting = NULL;
	spin_unlock(&vsock_lock);
	waitq_wake_all(&vsock_accepted, 0);
}

static void input_request(const struct virtio_vsock_hdr *h)
{
	struct vsock_listener *l;
	struct vsock_conn *c = NULL;

	spin_lock(&vsock_lock);
	l = vsock_listener_find_locked(h->dst_port);
	if (l && l->has_room(l))
		c = vsock_conn_create(h->dst_port, h->src_cid, h->src_port);
	if (!c) {
		vsock_refuse_locked(h);
		spin_unlock(&vsock_lock);
		vsock_flush();
		return;
	}
	c->refs++; /* ours: the listener may go and take it along */
	c->state = VSOCK_CONNECTED;
	c->peer_alloc = h->buf_alloc;
	c->peer_fwd = h->fwd_cnt;
	c->filter = l->filter;
	c->listener = l;
	c->owner = l->owner;
	if (c->filter)
		vsock_deadline_set_locked(
		    c, clock_monotonic() + VSOCK_STEP_TIME);
	vsock_table_add_locked(c);
	vsock_control_locked(c, VIRTIO_VSOCK_OP_RESPONSE);
	spin_unlock(&vsock_lock);
	vsock_flush();
	if (!c->filter)
		run_filter(c);
	vsock_conn_put(c);
}

/* Payload beyond the promised window, or what we have no memory for. */
static bool rx_overrun_locked(const struct vsock_conn *c, uint32_t len)
{
	return len > c->buf_alloc - (c->rx_cnt - c->fwd_cnt);
}

/* *kept: in, the page may be kept; out, it was. */
static bool input_data(struct vsock_conn *c, uint32_t len, struct page *page,
    unsigned off, bool *kept)
{
	if (*kept && len >= VSOCK_KEEP_MIN)
		return *kept = byteq_append_page(&c->rx, page, off, len);
	*kept = false;
	return byteq_append(&c->rx, (char *)page_to_virt(page) + off, len);
}

/* True if the connection must be reset.  Drops the lock for the data. */
static bool input_rw_locked(struct vsock_conn *c,
    const struct virtio_vsock_hdr *h, struct page *page, unsigned off,
    bool *kept)
{
	bool over = c->state != VSOCK_CONNECTED ||
		    rx_overrun_locked(c, h->len) ||
		    c->shut_peer & STREAM_SHUT_SEND;
	bool good;

	if (over || !h->len) {
		*kept = false;
		return over;
	}
	c->rx_cnt += h->len;
	spin_unlock(&vsock_lock);
	good = input_data(c, h->len, page, off, kept);
	spin_lock(&vsock_lock);
	return !good;
}

static void input_shutdown_locked(
    struct vsock_conn *c, const struct virtio_vsock_hdr *h, bool *put)
{
	c->shut_peer |= h->flags & SHUT_BOTH;
	/* The peer is done both ways: nothing can follow but the end. */
	if (c->shut_peer == SHUT_BOTH && c->state == VSOCK_CLOSING) {
		(void)vsock_send_control_locked(c, VIRTIO_VSOCK_OP_RST);
		*put = vsock_die_locked(c, 0);
	}
}

/* Neither side has anything more to say. */
static bool is_done(const struct vsock_conn *c)
{
	unsigned in =
	    c->shut_peer & STREAM_SHUT_SEND || c->shut_local & STREAM_SHUT_RECV;
	unsigned out =
	    c->shut_local & STREAM_SHUT_SEND || c->shut_peer & STREAM_SHUT_RECV;

	return in && out;
}

/* A packet of an existing connection, which the caller has a reference to.
 * Drops the lock. */
static bool input_conn_locked(struct vsock_conn *c,
    const struct virtio_vsock_hdr *h, struct page *page, unsigned off,
    bool may_keep)
{
	bool put = false, kept = false, reset = false;

	c->peer_alloc = h->buf_alloc;
	c->peer_fwd = h->fwd_cnt;
	switch (h->op) {
	case VIRTIO_VSOCK_OP_RESPONSE:
		if (c->state == VSOCK_CONNECTING) {
			c->state = VSOCK_CONNECTED;
			c->deadline = DEADLINE_NEVER;
		} else {
			reset = true;
		}
		break;
	case VIRTIO_VSOCK_OP_RST:
		/* After an orderly shutdown this is the end, not an error. */
		put = vsock_die_locked(c, c->state == VSOCK_CONNECTING
					      ? ECONNREFUSED
					  : is_done(c) ? 0
						       : ECONNRESET);
		break;
	case VIRTIO_VSOCK_OP_SHUTDOWN:
		input_shutdown_locked(c, h, &put);
		break;
	case VIRTIO_VSOCK_OP_RW:
		kept = may_keep;
		reset = input_rw_locked(c, h, page, off, &kept);
		break;
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		vsock_control_locked(c, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
		break;
	case VIRTIO_VSOCK_OP_CREDIT_UPDATE:
		break;
	default:
		reset = true;
	}
	if (reset && !list_empty(&c->hash_node)) {
		(void)vsock_send_control_locked(c, VIRTIO_VSOCK_OP_RST);
		put = vsock_die_locked(c, ECONNRESET);
	}
	spin_unlock(&vsock_lock);
	vsock_flush();
	if (c->filter && c->state != VSOCK_CLOSING)
		run_filter(c);
	vsock_finish(c, put);
	return kept;
}

bool vsock_input(const struct virtio_vsock_hdr *h, struct page *page,
    unsigned off, bool may_keep)
{
	struct vsock_conn *c;
	bool kept;

	if (h->dst_cid != vsock_local_cid || h->src_cid != VSOCK_CID_HOST ||
	    !h->op)
		return false;
	spin_lock(&vsock_lock);
	c = h->type == VIRTIO_VSOCK_TYPE_STREAM
		? vsock_find_locked(h->dst_port, h->src_cid, h->src_port)
		: NULL;
	if (c) {
		__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
		kept = input_conn_locked(c, h, page, off, may_keep);
		vsock_conn_put(c);
		return kept;
	}
	if (h->op != VIRTIO_VSOCK_OP_RST &&
	    (h->op != VIRTIO_VSOCK_OP_REQUEST ||
		h->type != VIRTIO_VSOCK_TYPE_STREAM))
		vsock_refuse_locked(h);
	spin_unlock(&vsock_lock);
	if (h->op == VIRTIO_VSOCK_OP_REQUEST &&
	    h->type == VIRTIO_VSOCK_TYPE_STREAM)
		input_request(h);
	else
		vsock_flush();
	return false;
}

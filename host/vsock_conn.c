/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection of the built-in vsock device (virtio 1.2, 5.10.6).
 *
 * Each has two independent halves.  Bytes from the guest go to the user's
 * `out`; what it does not take is kept, and never exceeds the window that we
 * promise, or the guest has broken the protocol.  Bytes for the guest are
 * fetched by the user's `in` straight into a receive buffer, as many as the
 * guest's window has room for.  Both windows are counted by free-running
 * 32-bit numbers.
 *
 * The end: when both halves are done, the user is told (`closed`) and the
 * guest gets SHUTDOWN with both hints, or RST if it has sent that itself.
 * A guest that sent SHUTDOWN and then RST has closed in order: what is kept
 * still goes out before the user hears of it.
 */
#include "host/vsock_device.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define CONNECT_MS 600000 /* machines are stopped, and go on */

static struct conn **conn_slot(
    struct vsock_dev *dev, uint32_t guest, uint32_t host)
{
	return &dev->hash[(guest * 31 + host) % CONN_HASH];
}

struct conn *conn_find(struct vsock_dev *dev, uint32_t guest, uint32_t host)
{
	struct conn *c = *conn_slot(dev, guest, host);

	while (c &&
	       (c->wire_gone || c->guest_port != guest || c->host_port != host))
		c = c->hash_next;
	return c;
}

struct conn *conn_new(struct vsock_dev *dev, uint32_t guest, uint32_t host)
{
	struct conn **slot = conn_slot(dev, guest, host);
	struct conn *c = must_alloc(sizeof(*c));

	c->dev = dev;
	c->s.carrier = &conn_carrier;
	c->guest_port = guest;
	c->host_port = host;
	c->in_ready = c->out_ready = true;
	c->give_up = loop_now() + CONNECT_MS;
	c->hash_next = *slot;
	*slot = c;
	if (!dev->conn_count++)
		loop_timer_set(&dev->tick, 1000);
	return c;
}

static void conn_unhash(struct conn *c)
{
	struct conn **at = conn_slot(c->dev, c->guest_port, c->host_port);

	while (*at && *at != c)
		at = &(*at)->hash_next;
	if (*at)
		*at = c->hash_next;
}

void conn_queue(struct conn *c)
{
	struct vsock_dev *dev = c->dev;

	vsock_dev_work(dev);
	if (c->prev || dev->work == c)
		return;
	c->prev = dev->work_end;
	if (c->prev)
		c->prev->next = c;
	else
		dev->work = c;
	dev->work_end = c;
}

static void conn_unqueue(struct conn *c)
{
	struct vsock_dev *dev = c->dev;

	if (!c->prev && dev->work != c)
		return;
	*(c->prev ? &c->prev->next : &dev->work) = c->next;
	*(c->next ? &c->next->prev : &dev->work_end) = c->prev;
	c->prev = c->next = NULL;
}

void conn_free(struct conn *c)
{
	conn_unqueue(c);
	conn_unhash(c);
	buf_drop(&c->kept);
	c->dev->conn_count--;
	loop_free(c);
}

static void conn_tell_user(struct conn *c, int err)
{
	if (c->user_gone)
		return;
	c->user_gone = true;
	c->s.user->closed(&c->s, err);
}

void conn_fail(struct conn *c, int err)
{
	conn_tell_user(c, err);
	c->tell = TELL_RESET;
	conn_queue(c);
}

void conn_lost(struct conn *c, int err)
{
	conn_tell_user(c, err);
	conn_free(c);
}

static uint32_t conn_room(const struct conn *c)
{
	uint32_t underway = c->sent - c->peer_taken;

	return underway < c->peer_window ? c->peer_window - underway : 0;
}

/* `len` bytes have left our buffer: the guest should know in time. */
static void conn_took(struct conn *c, size_t len)
{
	c->taken += (uint32_t)len;
	if (c->taken - c->told >= CONN_WINDOW / 2) {
		c->tell |= TELL_CREDIT;
		conn_queue(c);
	}
}

/* Hand bytes to the user: how many are done with, or -1 when it has failed. */
static ssize_t conn_out(
    struct conn *c, const struct iovec *iov, int n, size_t len)
{
	ssize_t took;

	if (c->discard || c->user_gone)
		return (ssize_t)len;
	if (!c->out_ready)
		return 0;
	took = c->s.user->out(&c->s, iov, n);
	if (took == -EPIPE) {
		c->discard = true;
		c->our_shut |= VIRTIO_VSOCK_SHUTDOWN_RCV;
		c->tell |= TELL_SHUTDOWN;
		conn_queue(c);
		return (ssize_t)len;
	}
	if (took < 0 && took != -EAGAIN) {
		conn_fail(c, (int)took);
		return -1;
	}
	if (took < 0)
		took = 0;
	assert((size_t)took <= len);
	if ((size_t)took < len)
		c->out_ready = false;
	return took;
}

static void conn_keep(
    struct conn *c, const struct iovec *data, int n, size_t skip)
{
	for (int i = 0; i < n; i++) {
		size_t len = data[i].iov_len, off = MIN(skip, len);

		buf_add(&c->kept, (char *)data[i].iov_base + off, len - off);
		skip -= off;
	}
}

static void conn_data(
    struct conn *c, const struct iovec *data, int n, size_t len)
{
	ssize_t took = 0;

	if (!c->open || (c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND) ||
	    len > CONN_WINDOW - buf_len(&c->kept)) {
		conn_fail(c, -ECONNRESET);
		return;
	}
	if (!buf_len(&c->kept))
		took = conn_out(c, data, n, len);
	if (took < 0)
		return;
	conn_took(c, (size_t)took);
	conn_keep(c, data, n, (size_t)took);
}

static void conn_reset(struct conn *c)
{
	if (!c->open) {
		conn_lost(c, -ECONNREFUSED);
		return;
	}
	if (c->user_gone || !(c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND)) {
		conn_lost(c, -ECONNRESET);
		return;
	}
	c->wire_gone = true;
	c->guest_shut = SHUT_BOTH;
	c->tell = 0;
	conn_queue(c);
}

void conn_packet(struct conn *c, const struct virtio_vsock_hdr *hdr,
    const struct iovec *data, int n, size_t data_len)
{
	c->peer_window = hdr->buf_alloc;
	c->peer_taken = hdr->fwd_cnt;
	if (c->tell & TELL_RESET && hdr->op != VIRTIO_VSOCK_OP_RST)
		return;
	if (c->in_ready && c->open)
		conn_queue(c); /* the window may have opened */
	switch (hdr->op) {
	case VIRTIO_VSOCK_OP_RESPONSE:
		if (c->open) {
			conn_fail(c, -ECONNRESET);
			break;
		}
		c->open = true;
		if (!c->user_gone)
			c->s.user->opened(&c->s);
		conn_queue(c);
		break;
	case VIRTIO_VSOCK_OP_RW:
		conn_data(c, data, n, data_len);
		break;
	case VIRTIO_VSOCK_OP_SHUTDOWN:
		c->guest_shut |= hdr->flags & SHUT_BOTH;
		conn_queue(c);
		break;
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		c->tell |= TELL_CREDIT;
		conn_queue(c);
		break;
	case VIRTIO_VSOCK_OP_CREDIT_UPDATE:
		break;
	case VIRTIO_VSOCK_OP_RST:
		conn_reset(c);
		break;
	default:
		conn_fail(c, -ECONNRESET);
	}
}

static void conn_drain(struct conn *c)
{
	while (buf_len(&c->kept)) {
		struct iovec part = {buf_at(&c->kept), buf_len(&c->kept)};
		ssize_t took = conn_out(c, &part, 1, part.iov_len);

		if (took <= 0)
			return;
		buf_take(&c->kept, (size_t)took);
		conn_took(c, (size_t)took);
	}
	if (c->kept.room > CONN_PACKET_MAX)
		buf_drop(&c->kept);
}

/* Notice what has ended; true if that freed `c`. */
static bool conn_settle(struct conn *c)
{
	bool in_done = (c->our_shut & VIRTIO_VSOCK_SHUTDOWN_SEND) ||
		       (c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_RCV);

	if ((c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND) &&
	    !buf_len(&c->kept) && !c->out_ended) {
		c->out_ended = true;
		if (!c->user_gone)
			c->s.user->out_end(&c->s);
	}
	if (c->out_ended && in_done && !c->user_gone) {
		conn_tell_user(c, 0);
		c->our_shut = SHUT_BOTH;
		c->tell |= TELL_SHUTDOWN;
	}
	if (!c->user_gone)
		return false;
	if (c->wire_gone) {
		conn_free(c);
		return true;
	}
	if (c->guest_shut == SHUT_BOTH)
		c->tell = TELL_RESET;
	return false;
}

static int conn_put(
    struct conn *c, struct vq_chain *chain, uint16_t op, uint32_t len)
{
	struct virtio_vsock_hdr hdr = {
	    .src_cid = VSOCK_HOST_CID,
	    .dst_cid = c->dev->v.guest_cid,
	    .src_port = c->host_port,
	    .dst_port = c->guest_port,
	    .len = len,
	    .type = VIRTIO_VSOCK_TYPE_STREAM,
	    .op = op,
	    .flags = op == VIRTIO_VSOCK_OP_SHUTDOWN ? c->our_shut : 0,
	    .buf_alloc = CONN_WINDOW,
	    .fwd_cnt = c->taken,
	};

	c->told = c->taken;
	iov_write(chain->iov, chain->in_count, 0, &hdr, sizeof(hdr));
	return (int)(sizeof(hdr) + len);
}

/* Every packet carries the window, so that TELL_CREDIT rides on any. */
static int conn_put_told(struct conn *c, struct vq_chain *chain)
{
	static const struct {
		uint8_t tell;
		uint16_t op;
	} order[] = {
	    {TELL_RESET, VIRTIO_VSOCK_OP_RST},
	    {TELL_REQUEST, VIRTIO_VSOCK_OP_REQUEST},
	    {TELL_RESPONSE, VIRTIO_VSOCK_OP_RESPONSE},
	    {TELL_SHUTDOWN, VIRTIO_VSOCK_OP_SHUTDOWN},
	    {TELL_ASK, VIRTIO_VSOCK_OP_CREDIT_REQUEST},
	    {TELL_CREDIT, VIRTIO_VSOCK_OP_CREDIT_UPDATE},
	};
	unsigned i = 0;

	while (!(c->tell & order[i].tell))
		i++;
	c->tell &= (uint8_t) ~(order[i].tell | TELL_CREDIT);
	return conn_put(c, chain, order[i].op, 0);
}

/* Fetch from the user into the chain, behind the header. */
static int conn_put_data(struct conn *c, struct vq_chain *chain)
{
	static struct iovec iov[VQ_CHAIN_MAX];
	size_t most = chain->in_len - sizeof(struct virtio_vsock_hdr);
	ssize_t got;
	int n;

	most = MIN(MIN(most, CONN_PACKET_MAX), conn_room(c));
	n = iov_slice(iov, chain->iov, chain->in_count,
	    sizeof(struct virtio_vsock_hdr), most);
	if (!n)
		return 0;
	got = c->s.user->in(&c->s, iov, n);
	if (got > 0) {
		assert((size_t)got <= most);
		c->sent += (uint32_t)got;
		c->tell &= (uint8_t)~TELL_CREDIT;
		conn_queue(c);
		return conn_put(c, chain, VIRTIO_VSOCK_OP_RW, (uint32_t)got);
	}
	c->in_ready = false;
	if (got == -EAGAIN)
		return 0;
	if (got < 0) {
		conn_fail(c, (int)got);
		return 0;
	}
	c->our_shut |= VIRTIO_VSOCK_SHUTDOWN_SEND;
	c->tell |= TELL_SHUTDOWN;
	conn_queue(c); /* to settle */
	return conn_put_told(c, chain);
}

static bool conn_wants_in(const struct conn *c)
{
	return c->open && c->in_ready && !c->user_gone &&
	       !(c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_RCV) &&
	       !(c->our_shut & VIRTIO_VSOCK_SHUTDOWN_SEND);
}

int conn_step(struct conn *c, struct vq_chain *chain)
{
	int len;

	conn_drain(c);
	if (conn_settle(c))
		return 0;
	if (!c->tell && !(conn_wants_in(c) && conn_room(c))) {
		conn_unqueue(c);
		return 0;
	}
	if (!chain)
		return -ENOBUFS;
	conn_unqueue(c); /* what has more to do queues again, last */
	if (!c->tell ||
	    (conn_wants_in(c) && c->tell == TELL_CREDIT && conn_room(c))) {
		len = conn_put_data(c, chain);
		if (len || !c->tell)
			return len;
	}
	if (c->tell & TELL_RESET) {
		c->tell = TELL_RESET;
		len = conn_put_told(c, chain);
		conn_free(c);
		return len;
	}
	len = conn_put_told(c, chain);
	if (c->tell || conn_wants_in(c))
		conn_queue(c);
	return len;
}

void conn_tick(struct conn *c, uint64_t now)
{
	if (!c->open && now >= c->give_up) {
		conn_fail(c, -ETIMEDOUT);
		return;
	}
	if (!conn_wants_in(c) || conn_room(c)) {
		c->hungry = false;
		return;
	}
	if (c->hungry) { /* its update may have got lost in its bugs */
		c->tell |= TELL_ASK;
		conn_queue(c);
	}
	c->hungry = true;
}

static void conn_in_ready(struct vsock_stream *s)
{
	struct conn *c = container_of(s, struct conn, s);

	c->in_ready = true;
	if (c->open)
		conn_queue(c);
}

static void conn_out_ready(struct vsock_stream *s)
{
	struct conn *c = container_of(s, struct conn, s);

	c->out_ready = true;
	if (buf_len(&c->kept) || c->guest_shut)
		conn_queue(c);
}

static void conn_abort(struct vsock_stream *s)
{
	struct conn *c = container_of(s, struct conn, s);

	c->user_gone = true;
	if (c->wire_gone) {
		conn_free(c);
		return;
	}
	c->tell = TELL_RESET;
	conn_queue(c);
}

const struct vsock_carrier conn_carrier = {
    .in_ready = conn_in_ready,
    .out_ready = conn_out_ready,
    .abort = conn_abort,
};

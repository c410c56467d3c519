/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vsock: what the user of a connection does with it; see stream.h.
 *
 * Credit is cumulative and 32 bits wide (virtio 1.2, 5.10.6.3): the peer may
 * have peer_alloc - (tx_cnt - peer_fwd) bytes more.
 */
#include "kernel/fs/file.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/vsock_internal.h"
#include "kernel/sched/clock.h"

#define PACKET_MAX 16336u /* with what is in front an order-2 block */
#define REFER_MIN  1024u  /* bytes of a page that are not copied */
#define CLOSE_TIME (8 * NSEC_PER_SEC)

static inline __attribute__((always_inline)) uint32_t peer_window_locked(
    const struct vsock_conn *c)
{
	uint32_t used = c->tx_cnt - c->peer_fwd;

	return used < c->peer_alloc ? c->peer_alloc - used : 0;
}

/* What stands in the way of sending: 0, or a negative errno. */
static int send_blocked_locked(struct vsock_conn *c)
{
	int err;

	if (c->state == VSOCK_CONNECTING || c->filter)
		return -EAGAIN;
	if (c->error) {
		err = -c->error;
		c->error = 0;
		return err;
	}
	if (c->state != VSOCK_CONNECTED || c->shut_local & STREAM_SHUT_SEND ||
	    c->shut_peer & STREAM_SHUT_RECV)
		return -EPIPE;
	return 0;
}

static int blocked(struct vsock_conn *c)
{
	int err;

	spin_lock(&vsock_lock);
	err = send_blocked_locked(c);
	spin_unlock(&vsock_lock);
	return err ? err : -EAGAIN;
}

/* A packet with a reference to the page that the rest of `it` lies in. */
static ssize_t packet_refer(struct iov_iter *it, struct vsock_packet **out)
{
	paddr_t pa = virt_to_phys((char *)it->iov->iov_base + it->skip);
	struct vsock_packet *p = vsock_packet_create(0);

	if (!p)
		return -ENOBUFS;
	p->page = page_from_phys(pa);
	page_ref(p->page);
	p->off = (uint32_t)(pa & ~PAGE_MASK);
	*out = p;
	return (ssize_t)it->left;
}

/* A packet with at most n bytes; how many, 0, or -errno. */
static ssize_t packet_fill(
    struct iov_iter *it, size_t n, struct vsock_packet **out)
{
	struct vsock_packet *p;
	ssize_t r;

	if (it->pages && it->nr == 1 && it->left >= REFER_MIN &&
	    it->left <= n) {
		r = packet_refer(it, out);
		if (r > 0)
			iter_advance(it, (size_t)r);
		return r;
	}
	n = min(n, it->left);
	p = vsock_packet_create(n);
	while (!p && n > 512)
		p = vsock_packet_create(n /= 2);
	if (!p)
		return -ENOBUFS;
	r = iter_in(p->data, n, it);
	if (r <= 0)
		vsock_packet_free(p);
	*out = p;
	return r;
}

/* One packet; 0, bytes, or -errno.  The window is only looked at: it can't
 * become smaller but by us. */
static ssize_t send_packet(struct vsock_conn *c, struct iov_iter *it)
{
	struct vsock_packet *p;
	uint32_t window;
	ssize_t r;
	int err;

	window = peer_window_locked(c);
	if (!window || c->error || c->state != VSOCK_CONNECTED)
		return blocked(c);
	r = packet_fill(it, min((size_t)window, (size_t)PACKET_MAX), &p);
	if (r <= 0)
		return r;
	vsock_header_fill(&p->hdr, c->peer_cid, c->local_port, c->peer_port,
	    VIRTIO_VSOCK_OP_RW);
	p->hdr.len = (uint32_t)r;
	spin_lock(&vsock_lock);
	vsock_header_credit_locked(&p->hdr, c);
	err = send_blocked_locked(c);
	if (!err)
		err = vsock_transport ? vsock_transport->send(p) : -EIO;
	if (!err)
		c->tx_cnt += (uint32_t)r;
	else if (err == -ENOSPC)
		vsock_tx_full = true;
	spin_unlock(&vsock_lock);
	if (err)
		vsock_packet_free(p);
	return err == -ENOSPC ? -EAGAIN : err ? err : r;
}

/* send_lock is the caller's, so tx_cnt is ours alone to raise. */
static ssize_t conn_send(struct stream *s, struct iov_iter *it)
{
	struct vsock_conn *c = vsock_of(s);
	ssize_t r = 0, done = 0;

	while (it->left) {
		struct iov_iter before = *it;
		r = send_packet(c, it);
		if (r <= 0) {
			*it = before; /* what was copied was not sent */
			break;
		}
		done += r;
	}
	vsock_flush();
	return done ? done : r;
}

void vsock_send_raw(struct vsock_conn *c, const void *data, size_t n)
{
	struct vsock_packet *p = vsock_packet_create(n);
	int err;

	if (!p) {
		vsock_kill(c, ENOBUFS);
		return;
	}
	vsock_header_fill(&p->hdr, c->peer_cid, c->local_port, c->peer_port,
	    VIRTIO_VSOCK_OP_RW);
	p->hdr.len = (uint32_t)n;
	memcpy(p->data, data, n);
	spin_lock(&vsock_lock);
	vsock_header_credit_locked(&p->hdr, c);
	err = vsock_transport && peer_window_locked(c) >= n
		  ? vsock_transport->send(p)
		  : -EIO;
	if (!err)
		c->tx_cnt += (uint32_t)n;
	spin_unlock(&vsock_lock);
	vsock_flush();
	if (err) {
		kfree(p);
		vsock_kill(c, ENOBUFS);
	}
}

/* Tell the peer of space that it may not know about, but not for every
 * byte: when it knows of less than half of the buffer. */
static void credit_return(struct vsock_conn *c, size_t n)
{
	spin_lock(&vsock_lock);
	c->fwd_cnt += (uint32_t)n;
	if (c->state == VSOCK_CONNECTED &&
	    c->fwd_cnt - c->fwd_sent >= c->buf_alloc / 2)
		vsock_control_locked(c, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	spin_unlock(&vsock_lock);
	vsock_flush();
}

void vsock_consume(struct vsock_conn *c, size_t n)
{
	byteq_drop(&c->rx, n);
	credit_return(c, n);
}

static bool recv_is_over(const struct vsock_conn *c)
{
	return c->state == VSOCK_DEAD || c->shut_peer & STREAM_SHUT_SEND ||
	       c->shut_local & STREAM_SHUT_RECV;
}

static ssize_t conn_recv(struct stream *s, struct iov_iter *it, bool peek)
{
	struct vsock_conn *c = vsock_of(s);
	bool over;
	ssize_t r;

	if (c->filter)
		return c->state == VSOCK_DEAD ? -vsock_take_error(c) : -EAGAIN;
	over = recv_is_over(c); /* before the queue: data comes first */
	r = byteq_read(&c->rx, it, peek);
	if (r > 0 && !peek)
		credit_return(c, (size_t)r);
	if (r)
		return r;
	if (c->error)
		return -vsock_take_error(c);
	return over && !byteq_bytes(&c->rx) ? 0 : -EAGAIN;
}

static unsigned conn_poll(struct stream *s)
{
	struct vsock_conn *c = vsock_of(s);
	bool over = recv_is_over(c);
	unsigned ev = 0;

	if (c->state == VSOCK_CONNECTING || (c->filter && !over))
		return 0;
	if (byteq_bytes(&c->rx) || over)
		ev |= POLL_IN;
	if (over)
		ev |= POLL_RDHUP;
	if (c->state == VSOCK_DEAD || c->shut_local & STREAM_SHUT_SEND ||
	    c->shut_peer & STREAM_SHUT_RECV ||
	    (peer_window_locked(c) > 0 && !vsock_tx_full))
		ev |= POLL_OUT;
	if (c->state == VSOCK_DEAD ||
	    (over && c->shut_local & STREAM_SHUT_SEND))
		ev |= POLL_HUP;
	if (c->error)
		ev |= POLL_ERR;
	return ev;
}

static size_t conn_pending(struct stream *s)
{
	return byteq_bytes(&vsock_of(s)->rx);
}

static void conn_shutdown(struct stream *s, unsigned how)
{
	struct vsock_conn *c = vsock_of(s);

	spin_lock(&vsock_lock);
	c->shut_local |= how;
	if (c->state == VSOCK_CONNECTED)
		vsock_control_locked(c, VIRTIO_VSOCK_OP_SHUTDOWN);
	spin_unlock(&vsock_lock);
	vsock_flush();
	waitq_wake_all(&s->wait, 0);
}

/* The user lets go.  Unread data makes it a reset, as with TCP. */
static void conn_close(struct stream *s)
{
	struct vsock_conn *c = vsock_of(s);
	bool put = false;

	spin_lock(&vsock_lock);
	if (c->state == VSOCK_CONNECTED && !byteq_bytes(&c->rx) &&
	    c->shut_peer != SHUT_BOTH) {
		c->state = VSOCK_CLOSING;
		c->shut_local = SHUT_BOTH;
		vsock_deadline_set_locked(c, clock_monotonic() + CLOSE_TIME);
		vsock_control_locked(c, VIRTIO_VSOCK_OP_SHUTDOWN);
	} else if (!list_empty(&c->hash_node)) {
		(void)vsock_send_control_locked(c, VIRTIO_VSOCK_OP_RST);
		put = vsock_die_locked(c, 0);
	}
	spin_unlock(&vsock_lock);
	vsock_flush();
	/* A filter that is not done frees what it has. */
	if (c->state == VSOCK_DEAD)
		(void)vsock_filter(c);
	if (put)
		vsock_conn_put(c);
	vsock_conn_put(c);
}

const struct stream_ops vsock_stream_ops = {
    .send = conn_send,
    .recv = conn_recv,
    .poll = conn_poll,
    .pending = conn_pending,
    .shutdown = conn_shutdown,
    .close = conn_close,
};

bool stream_is_vsock(const struct stream *s)
{
	return s->ops == &vsock_stream_ops;
}

int vsock_take_error(struct vsock_conn *c)
{
	int e;

	spin_lock(&vsock_lock);
	e = c->error;
	c->error = 0;
	spin_unlock(&vsock_lock);
	return e;
}

bool vsock_is_connected(const struct vsock_conn *c)
{
	return c->state == VSOCK_CONNECTED && !c->filter;
}

void vsock_set_buffer(struct vsock_conn *c, uint32_t bytes)
{
	spin_lock(&vsock_lock);
	/* What was promised can't be taken back. */
	c->buf_alloc = max(c->buf_alloc, bytes);
	spin_unlock(&vsock_lock);
}

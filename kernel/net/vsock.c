/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vsock state machine; see vsock.h.
 *
 * Credit is cumulative and 32 bits wide (5.10.6.3): the peer may have
 * peer_alloc - (tx_cnt - peer_fwd) bytes more.  A peer that sends beyond the
 * window that we promised is reset, so what it can make us hold is bounded.
 *
 * Control packets are not queued but derived from the connection: `tx_ops`
 * says which are due, `tx_list` links the connections that have any, and they
 * are built when the ring has space.  Refusals of packets that belong to no
 * connection are best effort.
 */
#include "kernel/net/vsock.h"
#include "kernel/fs/file.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/thread.h"

#define HASH_SIZE    256
#define PORT_FIRST   49152u
#define PORT_LAST    65535u
#define PACKET_MAX   16340u /* with its header an order-2 block */
#define CONNECT_TIME (10 * NSEC_PER_SEC)
#define CLOSE_TIME   (8 * NSEC_PER_SEC)
#define BUFFER_MIN   (16 * KIB)
#define BUFFER_MAX   (256 * KIB)

#define SHUT_BOTH (STREAM_SHUT_RECV | STREAM_SHUT_SEND)

static_assert(STREAM_SHUT_RECV == VIRTIO_VSOCK_SHUTDOWN_RCV, "same bits");
static_assert(STREAM_SHUT_SEND == VIRTIO_VSOCK_SHUTDOWN_SEND, "same bits");

static struct spinlock vsock_lock = SPINLOCK_INIT;
static const struct vsock_transport *transport; /* [v] NULL: none, failed */
static uint64_t local_cid;                      /* [v] */
static struct list table[HASH_SIZE]; /* [v] connections; vsock_init */
static struct list listeners = LIST_INIT(listeners); /* [v] */
static struct list tx_list = LIST_INIT(tx_list);     /* [v] */
static uint32_t next_port;                           /* [v] */
static uint32_t default_buffer;
static bool tx_full; /* [v] a sender found no space: wake all when there is */
static struct timer deadline_timer;             /* for the earliest deadline */
static uint64_t next_deadline = DEADLINE_NEVER; /* [v] of all, or earlier */
static const struct stream_ops vsock_stream_ops;

uint64_t vsock_cid(void)
{
	return transport ? local_cid : 0;
}

static void deadline_passed(struct timer *t)
{
	const struct vsock_transport *tr = transport;

	(void)t;
	if (tr)
		tr->wake();
}

void vsock_init(const struct vsock_transport *t, uint64_t cid)
{
	for (int i = 0; i < HASH_SIZE; i++)
		if (!table[i].next)
			list_init(&table[i]);
	local_cid = cid;
	default_buffer =
	    (uint32_t)min(max(page_total() / 256, BUFFER_MIN), BUFFER_MAX);
	timer_init(&deadline_timer, deadline_passed);
	transport = t;
}

/* Give the connection until `deadline` for its next step. */
static void deadline_set_locked(struct vsock_conn *c, uint64_t deadline)
{
	c->deadline = deadline;
	if (deadline >= next_deadline)
		return;
	next_deadline = deadline;
	timer_set(&deadline_timer, deadline);
}

static struct list *bucket(uint32_t local, uint64_t cid, uint32_t peer)
{
	uint32_t h = (local * 31 + peer) * 0x9e3779b1u + (uint32_t)cid;

	return &table[h >> 24];
}

static struct vsock_conn *find_locked(
    uint32_t local, uint64_t cid, uint32_t peer)
{
	struct vsock_conn *c;

	list_for_each(c, bucket(local, cid, peer),
	    hash_node) if (c->local_port == local && c->peer_port == peer &&
			   c->peer_cid == cid) return c;
	return NULL;
}

static struct vsock_listener *listener_find_locked(uint32_t port)
{
	struct vsock_listener *l;

	list_for_each(l, &listeners, node) if (l->port == port) return l;
	return NULL;
}

static void conn_put(struct vsock_conn *c)
{
	if (__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL))
		return;
	byteq_destroy(&c->rx);
	kfree(c);
}

static struct vsock_conn *conn_create(
    uint32_t local, uint64_t cid, uint32_t peer)
{
	struct vsock_conn *c = kzalloc(sizeof(*c));

	if (!c)
		return NULL;
	stream_init(&c->s, &vsock_stream_ops);
	byteq_init(&c->rx);
	list_init(&c->hash_node);
	list_init(&c->tx_node);
	c->refs = 2; /* the user's and the table's */
	c->local_port = local;
	c->peer_cid = cid;
	c->peer_port = peer;
	c->buf_alloc = default_buffer;
	c->deadline = DEADLINE_NEVER;
	return c;
}

/* Out of the table; nothing is sent or received any more. */
static bool unlink_locked(struct vsock_conn *c)
{
	if (list_empty(&c->hash_node))
		return false;
	list_remove(&c->hash_node);
	list_remove(&c->tx_node);
	c->tx_ops = 0;
	return true;
}

static void header_fill(struct virtio_vsock_hdr *h, uint64_t cid,
    uint32_t local, uint32_t peer, unsigned op)
{
	*h = (struct virtio_vsock_hdr){
	    .src_cid = local_cid,
	    .dst_cid = cid,
	    .src_port = local,
	    .dst_port = peer,
	    .type = VIRTIO_VSOCK_TYPE_STREAM,
	    .op = (uint16_t)op,
	};
}

static void header_credit_locked(
    struct virtio_vsock_hdr *h, struct vsock_conn *c)
{
	h->buf_alloc = c->buf_alloc;
	h->fwd_cnt = c->fwd_cnt;
	c->fwd_sent = c->fwd_cnt;
}

/* Send one control packet of c; false if there is no space for it now. */
static bool send_control_locked(struct vsock_conn *c, unsigned op)
{
	struct vsock_packet *p = kmalloc(sizeof(*p));

	if (!p)
		return false;
	header_fill(&p->hdr, c->peer_cid, c->local_port, c->peer_port, op);
	header_credit_locked(&p->hdr, c);
	if (op == VIRTIO_VSOCK_OP_SHUTDOWN)
		p->hdr.flags = c->shut_local;
	if (transport && transport->send(p) == 0)
		return true;
	kfree(p);
	return false;
}

static void tx_flush_locked(void)
{
	while (transport && !list_empty(&tx_list)) {
		struct vsock_conn *c =
		    list_first(&tx_list, struct vsock_conn, tx_node);
		while (c->tx_ops) {
			unsigned op = (unsigned)__builtin_ctz(c->tx_ops);
			if (!send_control_locked(c, op))
				return;
			c->tx_ops &= c->tx_ops - 1;
		}
		list_remove(&c->tx_node);
	}
}

static void control_locked(struct vsock_conn *c, unsigned op)
{
	if (list_empty(&c->hash_node))
		return;
	if (list_empty(&c->tx_node))
		list_push_back(&tx_list, &c->tx_node);
	c->tx_ops |= 1u << op;
	tx_flush_locked();
}

static void flush(void)
{
	if (transport)
		transport->flush();
}

/* Refuse a packet that belongs to nothing.  Best effort. */
static void refuse_locked(const struct virtio_vsock_hdr *to)
{
	struct vsock_packet *p = kmalloc(sizeof(*p));

	if (!p)
		return;
	header_fill(&p->hdr, to->src_cid, to->dst_port, to->src_port,
	    VIRTIO_VSOCK_OP_RST);
	p->hdr.type = to->type;
	if (!transport || transport->send(p) != 0)
		kfree(p);
}

/* The connection is over, with an errno for the user.  Drops the table's
 * reference: the caller puts it once the lock is free if this says so. */
static bool die_locked(struct vsock_conn *c, int error)
{
	if (c->state == VSOCK_CONNECTED || c->state == VSOCK_CONNECTING)
		c->error = error;
	c->state = VSOCK_DEAD;
	/* Nobody has taken the user's reference yet, nor will.  Not the last:
	 * the caller has one, or the table's. */
	if (c->listener)
		__atomic_sub_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	c->listener = NULL;
	return unlink_locked(c);
}

static void finish(struct vsock_conn *c, bool put)
{
	waitq_wake_all(&c->s.wait, 0);
	if (put)
		conn_put(c);
}

void vsock_kill(struct vsock_conn *c, int error)
{
	bool put;

	spin_lock(&vsock_lock);
	if (!list_empty(&c->hash_node))
		(void)send_control_locked(c, VIRTIO_VSOCK_OP_RST);
	put = die_locked(c, error);
	spin_unlock(&vsock_lock);
	flush();
	finish(c, put);
}

/* Let data pass a protocol in front of the connection, then give it to the
 * listener.  In the receiving thread. */
static void run_filter(struct vsock_conn *c)
{
	struct vsock_listener *l;
	bool dead;

	if (c->filter) {
		if (!c->filter(c))
			return;
		c->filter = NULL;
	}
	spin_lock(&vsock_lock);
	c->deadline = DEADLINE_NEVER;
	l = c->listener;
	c->listener = NULL;
	dead = c->state == VSOCK_DEAD;
	spin_unlock(&vsock_lock);
	if (dead || !l)
		return;
	if (!l->accept(l, c)) {
		vsock_kill(c, ECONNRESET);
		conn_put(c); /* the user's reference: nobody took it */
	}
}

static void input_request(const struct virtio_vsock_hdr *h)
{
	struct vsock_listener *l;
	struct vsock_conn *c = NULL;

	spin_lock(&vsock_lock);
	l = listener_find_locked(h->dst_port);
	if (l && l->has_room(l))
		c = conn_create(h->dst_port, h->src_cid, h->src_port);
	if (!c) {
		refuse_locked(h);
		spin_unlock(&vsock_lock);
		flush();
		return;
	}
	c->state = VSOCK_CONNECTED;
	c->peer_alloc = h->buf_alloc;
	c->peer_fwd = h->fwd_cnt;
	c->filter = l->filter;
	c->listener = l;
	c->owner = l->owner;
	if (c->filter)
		deadline_set_locked(c, clock_monotonic() + CONNECT_TIME);
	list_push_back(
	    bucket(c->local_port, c->peer_cid, c->peer_port), &c->hash_node);
	control_locked(c, VIRTIO_VSOCK_OP_RESPONSE);
	spin_unlock(&vsock_lock);
	flush();
	if (!c->filter)
		run_filter(c);
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

/* True if the connection must be reset. */
static bool input_rw(struct vsock_conn *c, const struct virtio_vsock_hdr *h,
    struct page *page, unsigned off, bool *kept)
{
	bool over;

	spin_lock(&vsock_lock);
	over = c->state != VSOCK_CONNECTED || rx_overrun_locked(c, h->len) ||
	       c->shut_peer & STREAM_SHUT_SEND;
	if (!over)
		c->rx_cnt += h->len;
	spin_unlock(&vsock_lock);
	if (over || !h->len)
		*kept = false;
	if (over)
		return true;
	if (!h->len)
		return false;
	return !input_data(c, h->len, page, off, kept);
}

static void input_shutdown_locked(
    struct vsock_conn *c, const struct virtio_vsock_hdr *h, bool *put)
{
	c->shut_peer |= h->flags & SHUT_BOTH;
	/* The peer is done both ways: nothing can follow but the end. */
	if (c->shut_peer == SHUT_BOTH && c->state == VSOCK_CLOSING) {
		(void)send_control_locked(c, VIRTIO_VSOCK_OP_RST);
		*put = die_locked(c, 0);
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

/* A packet of an existing connection, which the caller has a reference to. */
static bool input_conn(struct vsock_conn *c, const struct virtio_vsock_hdr *h,
    struct page *page, unsigned off, bool may_keep)
{
	bool put = false, kept = false, reset = false;

	spin_lock(&vsock_lock);
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
		put = die_locked(c, c->state == VSOCK_CONNECTING ? ECONNREFUSED
				    : is_done(c)                 ? 0
								 : ECONNRESET);
		break;
	case VIRTIO_VSOCK_OP_SHUTDOWN:
		input_shutdown_locked(c, h, &put);
		break;
	case VIRTIO_VSOCK_OP_RW:
		kept = may_keep;
		spin_unlock(&vsock_lock);
		reset = input_rw(c, h, page, off, &kept);
		spin_lock(&vsock_lock);
		break;
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		control_locked(c, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
		break;
	case VIRTIO_VSOCK_OP_CREDIT_UPDATE:
		break;
	default:
		reset = true;
	}
	if (reset && !list_empty(&c->hash_node)) {
		(void)send_control_locked(c, VIRTIO_VSOCK_OP_RST);
		put = die_locked(c, ECONNRESET);
	}
	spin_unlock(&vsock_lock);
	flush();
	if (c->filter && c->state != VSOCK_CLOSING)
		run_filter(c);
	finish(c, put);
	return kept;
}

bool vsock_input(const struct virtio_vsock_hdr *h, struct page *page,
    unsigned off, bool may_keep)
{
	struct vsock_conn *c;
	bool kept = false;

	if (h->dst_cid != local_cid || h->src_cid != VSOCK_CID_HOST || !h->op)
		return false;
	spin_lock(&vsock_lock);
	c = h->type == VIRTIO_VSOCK_TYPE_STREAM
		? find_locked(h->dst_port, h->src_cid, h->src_port)
		: NULL;
	if (c)
		__atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
	else if (h->op != VIRTIO_VSOCK_OP_RST &&
		 (h->op != VIRTIO_VSOCK_OP_REQUEST ||
		     h->type != VIRTIO_VSOCK_TYPE_STREAM))
		refuse_locked(h);
	spin_unlock(&vsock_lock);
	if (c) {
		kept = input_conn(c, h, page, off, may_keep);
		conn_put(c);
	} else if (h->op == VIRTIO_VSOCK_OP_REQUEST &&
		   h->type == VIRTIO_VSOCK_TYPE_STREAM) {
		input_request(h);
	} else {
		flush();
	}
	return kept;
}

void vsock_tx_ready(void)
{
	struct vsock_conn *c;

	spin_lock(&vsock_lock);
	tx_flush_locked();
	if (tx_full && list_empty(&tx_list)) {
		tx_full = false;
		for (int i = 0; i < HASH_SIZE; i++)
			list_for_each(c, &table[i], hash_node)
			    waitq_wake_all(&c->s.wait, POLL_OUT);
	}
	spin_unlock(&vsock_lock);
	flush();
}

static uint32_t peer_window_locked(const struct vsock_conn *c)
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

/* One packet of at most n bytes; 0, bytes, or -errno. */
static ssize_t send_packet(struct vsock_conn *c, struct iov_iter *it)
{
	struct vsock_packet *p;
	uint32_t window, n;
	ssize_t r;
	int err;

	spin_lock(&vsock_lock);
	err = send_blocked_locked(c);
	window = peer_window_locked(c);
	spin_unlock(&vsock_lock);
	if (err)
		return err;
	n = (uint32_t)min(min(it->left, (size_t)window), (size_t)PACKET_MAX);
	if (!n)
		return -EAGAIN;
	p = kmalloc(sizeof(*p) + n);
	while (!p && n > 512)
		p = kmalloc(sizeof(*p) + (n /= 2));
	if (!p)
		return -ENOBUFS;
	r = iter_in(p->data, n, it);
	if (r <= 0) {
		kfree(p);
		return r;
	}
	header_fill(&p->hdr, c->peer_cid, c->local_port, c->peer_port,
	    VIRTIO_VSOCK_OP_RW);
	p->hdr.len = (uint32_t)r;
	spin_lock(&vsock_lock);
	header_credit_locked(&p->hdr, c);
	err = send_blocked_locked(c);
	if (!err)
		err = transport ? transport->send(p) : -EIO;
	if (!err)
		c->tx_cnt += (uint32_t)r;
	else if (err == -ENOSPC)
		tx_full = true;
	spin_unlock(&vsock_lock);
	if (err)
		kfree(p);
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
	flush();
	return done ? done : r;
}

void vsock_send_raw(struct vsock_conn *c, const void *data, size_t n)
{
	struct vsock_packet *p = kmalloc(sizeof(*p) + n);
	int err;

	if (!p) {
		vsock_kill(c, ENOBUFS);
		return;
	}
	header_fill(&p->hdr, c->peer_cid, c->local_port, c->peer_port,
	    VIRTIO_VSOCK_OP_RW);
	p->hdr.len = (uint32_t)n;
	memcpy(p->data, data, n);
	spin_lock(&vsock_lock);
	header_credit_locked(&p->hdr, c);
	err =
	    transport && peer_window_locked(c) >= n ? transport->send(p) : -EIO;
	if (!err)
		c->tx_cnt += (uint32_t)n;
	spin_unlock(&vsock_lock);
	flush();
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
		control_locked(c, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	spin_unlock(&vsock_lock);
	flush();
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
	    (peer_window_locked(c) > 0 && !tx_full))
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
		control_locked(c, VIRTIO_VSOCK_OP_SHUTDOWN);
	spin_unlock(&vsock_lock);
	flush();
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
		deadline_set_locked(c, clock_monotonic() + CLOSE_TIME);
		control_locked(c, VIRTIO_VSOCK_OP_SHUTDOWN);
	} else if (!list_empty(&c->hash_node)) {
		(void)send_control_locked(c, VIRTIO_VSOCK_OP_RST);
		put = die_locked(c, 0);
	}
	spin_unlock(&vsock_lock);
	flush();
	if (put)
		conn_put(c);
	conn_put(c);
}

static const struct stream_ops vsock_stream_ops = {
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

int vsock_listen(struct vsock_listener *l)
{
	int err = 0;

	spin_lock(&vsock_lock);
	if (listener_find_locked(l->port))
		err = -EADDRINUSE;
	else
		list_push_back(&listeners, &l->node);
	spin_unlock(&vsock_lock);
	return err;
}

void vsock_unlisten(struct vsock_listener *l)
{
	struct vsock_conn *c, *victim;

	spin_lock(&vsock_lock);
	list_remove(&l->node);
	spin_unlock(&vsock_lock);
	/* Connections that had not got past the filter. */
	do {
		victim = NULL;
		spin_lock(&vsock_lock);
		for (int i = 0; i < HASH_SIZE && !victim; i++) {
			if (!table[i].next)
				break; /* there never was a device */
			list_for_each(c, &table[i],
			    hash_node) if (c->listener == l) victim = c;
		}
		if (victim)
			victim->listener = NULL;
		spin_unlock(&vsock_lock);
		if (victim) {
			vsock_kill(victim, ECONNRESET);
			conn_put(victim);
		}
	} while (victim);
}

static uint32_t pick_port_locked(uint32_t peer)
{
	uint32_t port;

	if (!next_port) {
		random_bytes(&port, sizeof(port));
		next_port = PORT_FIRST + port % (PORT_LAST - PORT_FIRST);
	}
	for (uint32_t i = PORT_FIRST; i <= PORT_LAST; i++) {
		port = next_port;
		next_port = port == PORT_LAST ? PORT_FIRST : port + 1;
		if (!find_locked(port, VSOCK_CID_HOST, peer) &&
		    !listener_find_locked(port))
			return port;
	}
	return 0;
}

struct vsock_conn *vsock_connect(
    uint32_t port, bool (*filter)(struct vsock_conn *), void *owner, int *err)
{
	struct vsock_conn *c;

	if (!transport) {
		*err = -ENODEV;
		return NULL;
	}
	*err = -ENOMEM;
	spin_lock(&vsock_lock);
	c = conn_create(pick_port_locked(port), VSOCK_CID_HOST, port);
	if (c && c->local_port) {
		c->state = VSOCK_CONNECTING;
		c->filter = filter;
		c->owner = owner;
		deadline_set_locked(c, clock_monotonic() + CONNECT_TIME);
		list_push_back(
		    bucket(c->local_port, c->peer_cid, port), &c->hash_node);
		control_locked(c, VIRTIO_VSOCK_OP_REQUEST);
		*err = 0;
	} else if (c) {
		kfree(c);
		c = NULL;
		*err = -EADDRNOTAVAIL;
	}
	spin_unlock(&vsock_lock);
	flush();
	return c;
}

/* The first connection (with a reference for the caller) that `want` takes. */
static struct vsock_conn *pick_conn(
    bool (*want)(struct vsock_conn *, uint64_t), uint64_t arg)
{
	struct vsock_conn *c, *found = NULL;

	spin_lock(&vsock_lock);
	for (int i = 0; i < HASH_SIZE && !found; i++) {
		list_for_each(c, &table[i], hash_node)
		{
			if (!want(c, arg))
				continue;
			found = c;
			break;
		}
	}
	if (found)
		__atomic_add_fetch(&found->refs, 1, __ATOMIC_RELAXED);
	spin_unlock(&vsock_lock);
	return found;
}

static bool is_overdue(struct vsock_conn *c, uint64_t now)
{
	return c->deadline <= now;
}

static bool is_any(struct vsock_conn *c, uint64_t arg)
{
	(void)c, (void)arg;
	return true;
}

static void deadline_recompute(void)
{
	struct vsock_conn *c;

	spin_lock(&vsock_lock);
	next_deadline = DEADLINE_NEVER;
	for (int i = 0; i < HASH_SIZE; i++)
		list_for_each(c, &table[i], hash_node) next_deadline =
		    min(next_deadline, c->deadline);
	if (next_deadline != DEADLINE_NEVER)
		timer_set(&deadline_timer, next_deadline);
	spin_unlock(&vsock_lock);
}

void vsock_run_timers(void)
{
	struct vsock_conn *c;

	if (next_deadline == DEADLINE_NEVER ||
	    clock_monotonic() < next_deadline)
		return;
	while ((c = pick_conn(is_overdue, clock_monotonic()))) {
		vsock_kill(c, ETIMEDOUT);
		conn_put(c);
	}
	deadline_recompute();
}

void vsock_transport_reset(void)
{
	struct vsock_conn *c;

	while ((c = pick_conn(is_any, 0))) {
		vsock_kill(c, ECONNRESET);
		conn_put(c);
	}
}

void vsock_transport_failed(void)
{
	spin_lock(&vsock_lock);
	transport = NULL;
	spin_unlock(&vsock_lock);
	vsock_transport_reset();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vsock connections from birth to end, and the control packets; see vsock.h.
 * vsock_input.c is what the peer sends, vsock_stream.c what the user does.
 *
 * Control packets are not queued but derived from the connection: `tx_ops`
 * says which are due, `tx_list` links the connections that have any, and they
 * are built when the ring has space.  Refusals of packets that belong to no
 * connection are best effort.
 */
#include "kernel/net/vsock_internal.h"
#include "kernel/fs/file.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/thread.h"

#define HASH_SIZE  256
#define RETRY_TIME (10 * NSEC_PER_MSEC) /* nobody tells of free memory */
#define PORT_FIRST 49152u
#define PORT_LAST  65535u
#define BUFFER_MIN (16 * KIB)
#define BUFFER_MAX (256 * KIB)

own_line struct spinlock vsock_lock = SPINLOCK_INIT;
const struct vsock_transport *vsock_transport; /* [v] NULL: none, failed */
uint64_t vsock_local_cid;                      /* [v] */
static struct list table[HASH_SIZE];           /* [v] connections; vsock_init */
static struct list listeners = LIST_INIT(listeners); /* [v] */
static struct list tx_list = LIST_INIT(tx_list);     /* [v] */
static uint32_t next_port;                           /* [v] */
static uint32_t default_buffer;
bool vsock_tx_full; /* [v] a sender found no space: wake all when there is */
struct vsock_listener *vsock_accepting; /* [v] whose hook is running */
struct waitq vsock_accepted = WAITQ_INIT(vsock_accepted);
static struct timer deadline_timer;             /* for the earliest deadline */
static uint64_t next_deadline = DEADLINE_NEVER; /* [v] of all, or earlier */

uint64_t vsock_cid(void)
{
	return vsock_transport ? vsock_local_cid : 0;
}

static void deadline_passed(struct timer *t)
{
	const struct vsock_transport *tr =
	    __atomic_load_n(&vsock_transport, __ATOMIC_ACQUIRE);

	(void)t;
	if (tr)
		tr->wake();
}

void vsock_init(const struct vsock_transport *t, uint64_t cid)
{
	for (int i = 0; i < HASH_SIZE; i++)
		if (!table[i].next)
			list_init(&table[i]);
	vsock_local_cid = cid;
	default_buffer =
	    (uint32_t)min(max(page_total() / 256, BUFFER_MIN), BUFFER_MAX);
	timer_init(&deadline_timer, deadline_passed);
	vsock_transport = t;
}

static void run_timers_at_locked(uint64_t when)
{
	if (when >= next_deadline)
		return;
	next_deadline = when;
	timer_set(&deadline_timer, when);
}

/* Give the connection until `deadline` for its next step. */
void vsock_deadline_set_locked(struct vsock_conn *c, uint64_t deadline)
{
	c->deadline = deadline;
	run_timers_at_locked(deadline);
}

static struct list *bucket(uint32_t local, uint64_t cid, uint32_t peer)
{
	uint32_t h = (local * 31 + peer) * 0x9e3779b1u + (uint32_t)cid;

	return &table[h >> 24];
}

/* Into the table, which then has its reference. */
void vsock_table_add_locked(struct vsock_conn *c)
{
	list_push_back(
	    bucket(c->local_port, c->peer_cid, c->peer_port), &c->hash_node);
}

struct vsock_conn *vsock_find_locked(
    uint32_t local, uint64_t cid, uint32_t peer)
{
	struct vsock_conn *c;

	list_for_each (c, bucket(local, cid, peer), hash_node)
		if (c->local_port == local && c->peer_port == peer &&
		    c->peer_cid == cid)
			return c;
	return NULL;
}

unsigned vsock_count(void)
{
	unsigned n = 0;
	struct vsock_conn *c;

	spin_lock(&vsock_lock);
	for (int i = 0; vsock_transport && i < HASH_SIZE; i++)
		list_for_each (c, &table[i], hash_node)
			n++;
	spin_unlock(&vsock_lock);
	return n;
}

struct vsock_listener *vsock_listener_find_locked(uint32_t port)
{
	struct vsock_listener *l;

	list_for_each (l, &listeners, node)
		if (l->port == port)
			return l;
	return NULL;
}

void vsock_conn_put(struct vsock_conn *c)
{
	if (__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL))
		return;
	byteq_destroy(&c->rx);
	kfree(c);
}

struct vsock_conn *vsock_conn_create(
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

void vsock_header_fill(struct virtio_vsock_hdr *h, uint64_t cid, uint32_t local,
    uint32_t peer, unsigned op)
{
	*h = (struct virtio_vsock_hdr){
	    .src_cid = vsock_local_cid,
	    .dst_cid = cid,
	    .src_port = local,
	    .dst_port = peer,
	    .type = VIRTIO_VSOCK_TYPE_STREAM,
	    .op = (uint16_t)op,
	};
}

void vsock_header_credit_locked(
    struct virtio_vsock_hdr *h, struct vsock_conn *c)
{
	h->buf_alloc = c->buf_alloc;
	h->fwd_cnt = c->fwd_cnt;
	c->fwd_sent = c->fwd_cnt;
}

struct vsock_packet *vsock_packet_create(size_t bytes)
{
	struct vsock_packet *p = kmalloc(sizeof(*p) + bytes);

	if (p)
		p->page = NULL;
	return p;
}

void vsock_packet_free(struct vsock_packet *p)
{
	if (p->page)
		page_unref(p->page);
	kfree(p);
}

/* Send one control packet of c; false if there is no space for it now. */
bool vsock_send_control_locked(struct vsock_conn *c, unsigned op)
{
	struct vsock_packet *p = vsock_packet_create(0);

	if (!p)
		return false;
	vsock_header_fill(
	    &p->hdr, c->peer_cid, c->local_port, c->peer_port, op);
	vsock_header_credit_locked(&p->hdr, c);
	if (op == VIRTIO_VSOCK_OP_SHUTDOWN)
		p->hdr.flags = c->shut_local;
	if (vsock_transport && vsock_transport->send(p) == 0)
		return true;
	kfree(p);
	return false;
}

static void tx_flush_locked(void)
{
	while (vsock_transport && !list_empty(&tx_list)) {
		struct vsock_conn *c =
		    list_first(&tx_list, struct vsock_conn, tx_node);
		while (c->tx_ops) {
			unsigned op = (unsigned)__builtin_ctz(c->tx_ops);
			if (!vsock_send_control_locked(c, op)) {
				run_timers_at_locked(
				    clock_monotonic() + RETRY_TIME);
				return;
			}
			c->tx_ops &= c->tx_ops - 1;
		}
		list_remove(&c->tx_node);
	}
}

void vsock_control_locked(struct vsock_conn *c, unsigned op)
{
	if (list_empty(&c->hash_node))
		return;
	if (list_empty(&c->tx_node))
		list_push_back(&tx_list, &c->tx_node);
	c->tx_ops |= 1u << op;
	tx_flush_locked();
}

void vsock_flush(void)
{
	const struct vsock_transport *tr =
	    __atomic_load_n(&vsock_transport, __ATOMIC_ACQUIRE);

	if (tr)
		tr->flush();
}

/* Refuse a packet that belongs to nothing.  Best effort. */
void vsock_refuse_locked(const struct virtio_vsock_hdr *to)
{
	struct vsock_packet *p = vsock_packet_create(0);

	if (!p)
		return;
	vsock_header_fill(&p->hdr, to->src_cid, to->dst_port, to->src_port,
	    VIRTIO_VSOCK_OP_RST);
	p->hdr.type = to->type;
	if (!vsock_transport || vsock_transport->send(p) != 0)
		kfree(p);
}

/* The connection is over, with an errno for the user.  Drops the table's
 * reference: the caller puts it once the lock is free if this says so. */
bool vsock_die_locked(struct vsock_conn *c, int error)
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

void vsock_finish(struct vsock_conn *c, bool put)
{
	waitq_wake_all(&c->s.wait, 0);
	if (put)
		vsock_conn_put(c);
}

bool vsock_filter(struct vsock_conn *c)
{
	static struct spinlock lock = SPINLOCK_INIT;
	bool done;

	spin_lock(&lock);
	done = !c->filter || c->filter(c);
	if (done)
		c->filter = NULL;
	spin_unlock(&lock);
	return done;
}

void vsock_kill(struct vsock_conn *c, int error)
{
	bool put;

	spin_lock(&vsock_lock);
	if (!list_empty(&c->hash_node))
		(void)vsock_send_control_locked(c, VIRTIO_VSOCK_OP_RST);
	put = vsock_die_locked(c, error);
	spin_unlock(&vsock_lock);
	vsock_flush();
	vsock_finish(c, put);
}

void vsock_tx_ready(void)
{
	struct vsock_conn *c;

	spin_lock(&vsock_lock);
	tx_flush_locked();
	if (vsock_tx_full && list_empty(&tx_list)) {
		vsock_tx_full = false;
		for (int i = 0; i < HASH_SIZE; i++)
			list_for_each (c, &table[i], hash_node)
				waitq_wake_all(&c->s.wait, POLL_OUT);
	}
	spin_unlock(&vsock_lock);
	vsock_flush();
}

int vsock_listen(struct vsock_listener *l)
{
	int err = 0;

	spin_lock(&vsock_lock);
	if (vsock_listener_find_locked(l->port))
		err = -EADDRINUSE;
	else
		list_push_back(&listeners, &l->node);
	spin_unlock(&vsock_lock);
	return err;
}

void vsock_listener_wait(struct vsock_listener *l)
{
	(void)wait_event(&vsock_accepted,
	    __atomic_load_n(&vsock_accepting, __ATOMIC_ACQUIRE) != l,
	    DEADLINE_NEVER, false);
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
			list_for_each (c, &table[i], hash_node)
				if (c->listener == l)
					victim = c;
		}
		if (victim)
			victim->listener = NULL;
		spin_unlock(&vsock_lock);
		if (victim) {
			vsock_kill(victim, ECONNRESET);
			vsock_conn_put(victim);
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
		if (!vsock_find_locked(port, VSOCK_CID_HOST, peer) &&
		    !vsock_listener_find_locked(port))
			return port;
	}
	return 0;
}

struct vsock_conn *vsock_connect(
    uint32_t port, bool (*filter)(struct vsock_conn *), void *owner, int *err)
{
	struct vsock_conn *c;

	if (!vsock_transport) {
		*err = -ENODEV;
		return NULL;
	}
	*err = -ENOMEM;
	spin_lock(&vsock_lock);
	c = vsock_conn_create(pick_port_locked(port), VSOCK_CID_HOST, port);
	if (c && c->local_port) {
		c->state = VSOCK_CONNECTING;
		c->filter = filter;
		c->owner = owner;
		vsock_deadline_set_locked(
		    c, clock_monotonic() + VSOCK_STEP_TIME);
		vsock_table_add_locked(c);
		vsock_control_locked(c, VIRTIO_VSOCK_OP_REQUEST);
		*err = 0;
	} else if (c) {
		kfree(c);
		c = NULL;
		*err = -EADDRNOTAVAIL;
	}
	spin_unlock(&vsock_lock);
	vsock_flush();
	return c;
}

/* The first connection (with a reference for the caller) that `want` takes. */
static struct vsock_conn *pick_conn(
    bool (*want)(struct vsock_conn *, uint64_t), uint64_t arg)
{
	struct vsock_conn *c, *found = NULL;

	spin_lock(&vsock_lock);
	for (int i = 0; i < HASH_SIZE && !found; i++) {
		list_for_each (c, &table[i], hash_node) {
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

/* A filter that is not done frees what it has. */
static void kill_and_tell(struct vsock_conn *c, int error)
{
	vsock_kill(c, error);
	(void)vsock_filter(c);
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
		list_for_each (c, &table[i], hash_node)
			next_deadline = min(next_deadline, c->deadline);
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
		kill_and_tell(c, ETIMEDOUT);
		vsock_conn_put(c);
	}
	deadline_recompute();
	vsock_tx_ready();
}

void vsock_transport_reset(void)
{
	struct vsock_conn *c;

	while ((c = pick_conn(is_any, 0))) {
		kill_and_tell(c, ECONNRESET);
		vsock_conn_put(c);
	}
}

void vsock_transport_failed(void)
{
	spin_lock(&vsock_lock);
	vsock_transport = NULL;
	spin_unlock(&vsock_lock);
	vsock_transport_reset();
}

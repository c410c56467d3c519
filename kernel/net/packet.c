/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets and their queues; see packet.h. */
#include "kernel/net/packet.h"
#include "kernel/fs/file.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/socket_abi.h"

static struct packet *packet_alloc(
    const void *head, uint32_t head_len, size_t n)
{
	struct packet *p = kmalloc(sizeof(*p) + head_len + n);

	if (!p)
		return NULL;
	*p = (struct packet){
	    .len = (uint32_t)n, .head_len = head_len, .cred = socket_cred};
	list_init(&p->node);
	memcpy(p->bytes, head, head_len);
	return p;
}

struct packet *packet_from_iter(const void *head, uint32_t head_len,
    struct iov_iter *it, size_t n, int *err)
{
	struct packet *p = packet_alloc(head, head_len, n);
	ssize_t r;

	*err = -ENOBUFS;
	if (!p)
		return NULL;
	r = n ? iter_in(packet_data(p), n, it) : 0;
	if (r == (ssize_t)n)
		return p;
	*err = -EFAULT;
	kfree(p);
	return NULL;
}

struct packet *packet_from_memory(
    const void *head, uint32_t head_len, const void *data, size_t n)
{
	struct packet *p = packet_alloc(head, head_len, n);

	if (p && data)
		memcpy(packet_data(p), data, n);
	return p;
}

struct rights *rights_alloc(unsigned nr)
{
	struct rights *r = kzalloc(sizeof(*r) + nr * sizeof(r->file[0]));

	if (r)
		r->nr = nr;
	return r;
}

void rights_free(struct rights *r)
{
	for (unsigned i = 0; r && i < r->nr; i++)
		if (r->file[i])
			file_put(r->file[i]);
	kfree(r);
}

static struct rights *rights_copy(const struct rights *from)
{
	struct rights *r = rights_alloc(from->nr);

	for (unsigned i = 0; r && i < r->nr; i++) {
		r->file[i] = from->file[i];
		file_ref(r->file[i]);
	}
	return r;
}

void packet_free(struct packet *p)
{
	rights_free(p->rights);
	kfree(p);
}

void packetq_init(struct packetq *q)
{
	*q = (struct packetq){.lock = SPINLOCK_INIT};
	list_init(&q->packets);
	mutex_init(&q->read_lock);
}

/* Whoever finds nobody at it frees the dead packets of all. */
void packetq_drain(struct packetq *q)
{
	static struct spinlock lock;
	static struct list dead = LIST_INIT(dead); /* [lock] */
	static bool busy;                          /* [lock] */

	spin_lock(&lock);
	list_splice(&dead, &q->packets);
	q->nr = 0;
	q->bytes = q->charge = 0;
	if (busy) {
		spin_unlock(&lock);
		return;
	}
	busy = true;
	while (!list_empty(&dead)) {
		struct packet *p = list_first(&dead, struct packet, node);
		list_remove(&p->node);
		spin_unlock(&lock);
		packet_free(p);
		spin_lock(&lock);
	}
	busy = false;
	spin_unlock(&lock);
}

static size_t charge_of(const struct packet *p)
{
	return p->len + PACKET_OVERHEAD;
}

void packetq_push(struct packetq *q, struct packet *p)
{
	spin_lock(&q->lock);
	list_push_back(&q->packets, &p->node);
	q->bytes += p->len;
	q->charge += charge_of(p);
	__atomic_store_n(&q->nr, q->nr + 1, __ATOMIC_RELEASE);
	spin_unlock(&q->lock);
}

/* The packet behind p (NULL: the first), or NULL. */
static struct packet *next_packet(struct packetq *q, struct packet *p)
{
	struct list *n;

	spin_lock(&q->lock);
	n = p ? p->node.next : q->packets.next;
	p = n == &q->packets ? NULL : list_entry(n, struct packet, node);
	spin_unlock(&q->lock);
	return p;
}

static void unlink_packet(struct packetq *q, struct packet *p)
{
	spin_lock(&q->lock);
	list_remove(&p->node);
	assert(q->nr > 0);
	q->bytes -= p->len - p->off;
	q->charge -= charge_of(p);
	__atomic_store_n(&q->nr, q->nr - 1, __ATOMIC_RELEASE);
	spin_unlock(&q->lock);
}

size_t packetq_first(struct packetq *q)
{
	struct packet *p;
	size_t n;

	spin_lock(&q->lock);
	p = list_first(&q->packets, struct packet, node);
	n = list_empty(&q->packets) ? 0 : p->len;
	spin_unlock(&q->lock);
	return n;
}

static void extras_out(struct packet *p, struct socket_msg *m)
{
	m->cred = p->cred;
	if (!p->rights)
		return;
	if (m->flags & MSG_PEEK) {
		m->rights = rights_copy(p->rights);
	} else {
		m->rights = p->rights;
		p->rights = NULL;
	}
}

ssize_t packetq_take(struct packetq *q, struct socket_msg *m, void *head,
    uint32_t head_size, uint32_t *head_len)
{
	struct packet *p;
	bool peek = m->flags & MSG_PEEK;
	ssize_t n, r;

	MUTEX_GUARD(&q->read_lock);
	p = next_packet(q, NULL);
	if (!p)
		return -EAGAIN;
	if (!peek)
		unlink_packet(q, p);
	*head_len = min(p->head_len, head_size);
	memcpy(head, p->bytes, *head_len);
	n = (ssize_t)min((size_t)p->len, m->it.left);
	r = n ? iter_out(&m->it, packet_data(p), (size_t)n) : 0;
	if (r == n) {
		extras_out(p, m);
		if (n < (ssize_t)p->len)
			m->out |= MSG_TRUNC;
		r = m->flags & MSG_TRUNC ? (ssize_t)p->len : n;
	} else {
		r = -EFAULT;
	}
	if (!peek)
		packet_free(p);
	return r;
}

/* n bytes of the first packet have been read. */
static void consume(struct packetq *q, struct packet *p, size_t n)
{
	spin_lock(&q->lock);
	p->off += (uint32_t)n;
	q->bytes -= n;
	spin_unlock(&q->lock);
	if (p->off < p->len)
		return;
	unlink_packet(q, p);
	packet_free(p);
}

ssize_t packetq_read(struct packetq *q, struct socket_msg *m)
{
	bool peek = m->flags & MSG_PEEK;
	struct packet *p = NULL;
	size_t done = 0;

	MUTEX_GUARD(&q->read_lock);
	while (
	    m->it.left && !m->rights && (p = next_packet(q, peek ? p : NULL))) {
		size_t n = min((size_t)(p->len - p->off), m->it.left);
		ssize_t r = iter_out(&m->it, packet_data(p) + p->off, n);
		if (r < 0)
			return done ? (ssize_t)done : r;
		extras_out(p, m);
		done += (size_t)r;
		if (!peek)
			consume(q, p, (size_t)r);
		if ((size_t)r < n)
			break;
	}
	return done ? (ssize_t)done : -EAGAIN;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walking split virtqueues; see vq.h.
 *
 * Kicks: with the event index, the guest kicks when its available index
 * passes the one that vq_listen() stored last, so that a queue which is
 * being worked on, or whose entries nobody waits for, costs no kick at all.
 */
#include "host/vq.h"

#include <errno.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/mman.h>

_Static_assert(sizeof(struct vring_desc) == 16, "virtio 1.2, 2.7.5");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
    "ring fields are used as they are");

void *guest_mem_at(const struct guest_mem *mem, uint64_t gpa, uint64_t len)
{
	for (unsigned i = 0; i < mem->count; i++) {
		const struct guest_region *r = &mem->region[i];

		if (gpa >= r->gpa && gpa - r->gpa <= r->size &&
		    len <= r->size - (gpa - r->gpa))
			return r->host + (gpa - r->gpa);
	}
	return NULL;
}

void *guest_mem_at_uva(const struct guest_mem *mem, uint64_t uva, uint64_t len)
{
	for (unsigned i = 0; i < mem->count; i++) {
		const struct guest_region *r = &mem->region[i];

		if (uva >= r->uva && uva - r->uva <= r->size &&
		    len <= r->size - (uva - r->uva))
			return r->host + (uva - r->uva);
	}
	return NULL;
}

void guest_mem_unmap(struct guest_mem *mem)
{
	for (unsigned i = 0; i < mem->count; i++)
		if (mem->region[i].map)
			munmap(mem->region[i].map, mem->region[i].map_len);
	mem->count = 0;
}

int vq_map(struct vq *q)
{
	uint64_t n = q->size;

	q->desc = NULL;
	if (!n)
		return -EFAULT;
	/* both rings end with the 16-bit event field */
	q->avail = guest_mem_at_uva(q->mem, q->uva_avail, 6 + 2 * n);
	q->used = guest_mem_at_uva(q->mem, q->uva_used, 6 + 8 * n);
	q->desc = guest_mem_at_uva(q->mem, q->uva_desc, 16 * n);
	if (!q->avail || !q->used || !q->desc || (uintptr_t)q->desc & 15 ||
	    (uintptr_t)q->avail & 1 || (uintptr_t)q->used & 3) {
		q->desc = NULL;
		return -EFAULT;
	}
	q->next_used = q->told_used = q->used->idx;
	return 0;
}

/* Both event fields lie beyond the end of the other ring (2.7.10). */
static uint16_t *vq_used_event(struct vq *q)
{
	return &q->avail->ring[q->size];
}

static uint16_t *vq_avail_event(struct vq *q)
{
	return (uint16_t *)&q->used->ring[q->size];
}

static int chain_add(
    const struct vq *q, struct vq_chain *c, const struct vring_desc *d)
{
	int at = c->out_count + c->in_count;
	void *host = guest_mem_at(q->mem, d->addr, d->len);

	if (!host || at == VQ_CHAIN_MAX)
		return -EPROTO;
	if (!(d->flags & VRING_DESC_F_WRITE) && c->in_count)
		return -EPROTO; /* what we read comes first (2.7.4.2) */
	c->iov[at] = (struct iovec){host, d->len};
	if (d->flags & VRING_DESC_F_WRITE) {
		c->in_count++;
		c->in_len += d->len;
	} else {
		c->out_count++;
		c->out_len += d->len;
	}
	return 0;
}

/* Follow a chain in `table`; at most each of its entries once. */
static int chain_walk(const struct vq *q, struct vq_chain *c,
    const struct vring_desc *table, unsigned size, unsigned at, bool indirect)
{
	for (unsigned left = size; left; left--) {
		struct vring_desc d;

		if (at >= size)
			return -EPROTO;
		/* one copy: the guest may change it while we look */
		memcpy(&d, (const void *)(table + at), sizeof(d));
		__asm__ volatile("" ::: "memory");
		if (d.flags & VRING_DESC_F_INDIRECT) {
			if (indirect || (d.flags & VRING_DESC_F_NEXT) ||
			    !d.len || d.len % sizeof(d))
				return -EPROTO;
			table = guest_mem_at(q->mem, d.addr, d.len);
			if (!table)
				return -EPROTO;
			return chain_walk(
			    q, c, table, d.len / sizeof(d), 0, true);
		}
		if (chain_add(q, c, &d))
			return -EPROTO;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return 1;
		at = d.next;
	}
	return -EPROTO; /* it runs in a circle */
}

int vq_peek(struct vq *q, struct vq_chain *c)
{
	uint16_t idx = __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE);
	uint16_t ready = idx - q->next_avail;

	if (!ready)
		return 0;
	if (ready > q->size)
		return -EPROTO;
	c->head = *(
	    volatile uint16_t *)&q->avail->ring[q->next_avail & (q->size - 1)];
	c->out_count = c->in_count = 0;
	c->out_len = c->in_len = 0;
	return chain_walk(q, c, q->desc, q->size, c->head, false);
}

void vq_take(struct vq *q)
{
	q->next_avail++;
}

void vq_give(struct vq *q, uint16_t head, uint32_t len)
{
	struct vring_used_elem *e =
	    &q->used->ring[q->next_used & (q->size - 1)];

	e->id = head;
	e->len = len;
	q->next_used++;
	__atomic_store_n(&q->used->idx, q->next_used, __ATOMIC_RELEASE);
}

bool vq_listen(struct vq *q)
{
	if (q->event_idx)
		*(volatile uint16_t *)vq_avail_event(q) = q->next_avail;
	else
		q->used->flags = 0;
	/* the guest reads this after it has written its index */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE) !=
	       q->next_avail;
}

bool vq_must_call(struct vq *q)
{
	uint16_t old = q->told_used, event;

	if (old == q->next_used)
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	q->told_used = q->next_used;
	if (!q->event_idx)
		return !(*(volatile uint16_t *)&q->avail->flags &
			 VRING_AVAIL_F_NO_INTERRUPT);
	event = *(volatile uint16_t *)vq_used_event(q);
	return vring_need_event(event, q->next_used, old);
}

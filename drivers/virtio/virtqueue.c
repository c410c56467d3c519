/* SPDX-License-Identifier: BSD-2-Clause */
/* Split virtqueues, driver side; see virtqueue.h. */
#include <linux/virtio_ring.h>
#include "drivers/virtio/virtqueue.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"

struct vq_desc {
	struct vring_desc d;
};

struct vq_avail {
	uint16_t flags, idx;
	uint16_t ring[]; /* size entries, then used_event */
};

struct vq_used {
	uint16_t flags, idx;
	struct vring_used_elem ring[]; /* size entries, then avail_event */
};

static_assert(sizeof(struct vq_desc) == 16, "virtio 1.2, 2.7.5");
static_assert(sizeof(struct vring_used_elem) == 8, "virtio 1.2, 2.7.8");

#define NO_DESC    0xffff
#define TABLE_KEPT 32u /* entries of a table that stays with its slot */

static size_t avail_offset(uint16_t size)
{
	return size * sizeof(struct vq_desc);
}

static size_t used_offset(uint16_t size)
{
	return ALIGN_UP(avail_offset(size) + 6 + 2ul * size, 4);
}

size_t vq_memory_size(uint16_t size)
{
	return used_offset(size) + 6 + 8ul * size;
}

static uint16_t *used_event(struct virtqueue *vq)
{
	return &vq->avail->ring[vq->size];
}

static uint16_t *avail_event(struct virtqueue *vq)
{
	return (uint16_t *)&vq->used->ring[vq->size];
}

void vq_init(
    struct virtqueue *vq, uint16_t size, void *memory, struct vq_chain *chains)
{
	assert(size && size <= VQ_SIZE_MAX && !(size & (size - 1)));
	vq->size = size;
	vq->desc = memory;
	vq->avail = (void *)((char *)memory + avail_offset(size));
	vq->used = (void *)((char *)memory + used_offset(size));
	vq->chains = chains;
	vq->free_head = 0;
	vq->free_count = size;
	for (uint16_t i = 0; i < size; i++)
		chains[i].next = i + 1 < size ? (uint16_t)(i + 1) : NO_DESC;
	vq->avail_idx = vq->kicked_idx = vq->used_seen = 0;
	vq->broken = false;
}

static void mark_broken(struct virtqueue *vq)
{
	if (vq->broken)
		return;
	vq->broken = true;
	vq->on_broken(vq);
}

static void desc_set(
    struct vq_desc *d, const struct sg *sg, uint16_t flags, uint16_t next)
{
	d->d.addr = sg->phys;
	d->d.len = sg->len;
	d->d.flags = flags;
	d->d.next = next;
}

/* A chain's slot keeps its table for the next one, since chains come back in
 * interrupts, where memory can't be freed; except that large ones don't stay
 * longer than they must. */
static struct vq_desc *table_get(struct vq_chain *c, unsigned n)
{
	if (c->room >= n && c->room <= max(n, TABLE_KEPT))
		return c->indirect;
	kfree(c->indirect);
	c->room = (uint16_t)max(n, 4u);
	c->indirect = kmalloc(c->room * sizeof(*c->indirect));
	if (!c->indirect)
		c->room = 0;
	return c->indirect;
}

/* One descriptor of the ring that points at a table of n. */
static int submit_indirect(struct virtqueue *vq, const struct sg *out,
    unsigned n_out, const struct sg *in, unsigned n_in)
{
	unsigned n = n_out + n_in;
	uint16_t head = vq->free_head;
	struct vq_chain *c = &vq->chains[head];
	struct vq_desc *table;

	if (n > VQ_INDIRECT_MAX)
		return -E2BIG;
	table = table_get(c, n);
	if (!table)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		uint16_t flags = i + 1 < n ? VRING_DESC_F_NEXT : 0;
		if (i < n_out)
			desc_set(&table[i], &out[i], flags, (uint16_t)(i + 1));
		else
			desc_set(&table[i], &in[i - n_out],
			    flags | VRING_DESC_F_WRITE, (uint16_t)(i + 1));
	}
	vq->free_head = c->next;
	c->next = NO_DESC;
	c->count = 1;
	desc_set(&vq->desc[head],
	    &(struct sg){vq->to_phys(table), (uint32_t)(n * sizeof(*table))},
	    VRING_DESC_F_INDIRECT, 0);
	return head;
}

/* A chain of ring descriptors. */
static int submit_direct(struct virtqueue *vq, const struct sg *out,
    unsigned n_out, const struct sg *in, unsigned n_in)
{
	unsigned n = n_out + n_in;
	uint16_t head = vq->free_head, at = head, last = head;

	if (n > vq->size)
		return -E2BIG;
	if (n > vq->free_count)
		return -ENOSPC;
	for (unsigned i = 0; i < n; i++) {
		uint16_t next = vq->chains[at].next;
		uint16_t flags = i + 1 < n ? VRING_DESC_F_NEXT : 0;
		if (i >= n_out)
			flags |= VRING_DESC_F_WRITE;
		desc_set(&vq->desc[at], i < n_out ? &out[i] : &in[i - n_out],
		    flags, next);
		last = at;
		at = next;
	}
	vq->free_head = vq->chains[last].next;
	vq->chains[last].next = NO_DESC;
	vq->chains[head].count = (uint16_t)n;
	return head;
}

int vq_submit(struct virtqueue *vq, const struct sg *out, unsigned n_out,
    const struct sg *in, unsigned n_in, void *token)
{
	struct vq_chain *c;
	int head;

	assert(token && n_out + n_in > 0);
	if (vq->broken)
		return -EIO;
	if (!vq->free_count)
		return -ENOSPC;
	if (vq->indirect && n_out + n_in > 1)
		head = submit_indirect(vq, out, n_out, in, n_in);
	else
		head = submit_direct(vq, out, n_out, in, n_in);
	if (head < 0)
		return head;
	c = &vq->chains[head];
	vq->free_count = (uint16_t)(vq->free_count - c->count);
	c->token = token;
	c->in_bytes = 0;
	for (unsigned i = 0; i < n_in; i++)
		c->in_bytes += in[i].len;
	vq->avail->ring[vq->avail_idx & (vq->size - 1)] = (uint16_t)head;
	vq->avail_idx++;
	/* The entry before the index that covers it (2.7.13.3.1). */
	__atomic_store_n(&vq->avail->idx, vq->avail_idx, __ATOMIC_RELEASE);
	return 0;
}

/* What we have written is seen before we read on. */
static void full_fence(const struct virtqueue *vq)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (vq->fence)
		vq->fence();
}

bool vq_kick_prepare(struct virtqueue *vq)
{
	uint16_t new = vq->avail_idx, old = vq->kicked_idx;
	bool wanted;

	if (vq->broken || new == old)
		return false;
	/* Our index before their wish (2.7.10.1): else both sides may wait. */
	full_fence(vq);
	if (vq->event_idx) {
		uint16_t event =
		    __atomic_load_n(avail_event(vq), __ATOMIC_RELAXED);
		wanted = (uint16_t)(new - event - 1) < (uint16_t)(new - old);
	} else {
		wanted = !(__atomic_load_n(&vq->used->flags, __ATOMIC_RELAXED) &
			   VRING_USED_F_NO_NOTIFY);
	}
	vq->kicked_idx = new;
	return wanted;
}

void vq_kick(struct virtqueue *vq)
{
	if (vq_kick_prepare(vq))
		vq->notify(vq);
}

/* Take a chain's descriptors and table back. */
static void *chain_release(struct virtqueue *vq, uint16_t head)
{
	struct vq_chain *c = &vq->chains[head];
	void *token = c->token;
	uint16_t last = head;

	while (vq->chains[last].next != NO_DESC)
		last = vq->chains[last].next;
	vq->chains[last].next = vq->free_head;
	vq->free_head = head;
	vq->free_count = (uint16_t)(vq->free_count + c->count);
	c->token = NULL;
	return token;
}

static uint16_t used_index(const struct virtqueue *vq)
{
	return __atomic_load_n(&vq->used->idx, __ATOMIC_ACQUIRE);
}

bool vq_has_news(const struct virtqueue *vq)
{
	return used_index(vq) !=
	       __atomic_load_n(&vq->used_seen, __ATOMIC_RELAXED);
}

void *vq_get(struct virtqueue *vq, uint32_t *written)
{
	uint16_t idx;
	uint32_t id, len;

	if (vq->broken)
		return NULL;
	idx = used_index(vq);
	if (idx == vq->used_seen)
		return NULL;
	/* More entries than chains in flight can't be. */
	if ((uint16_t)(idx - vq->used_seen) > vq->size - vq->free_count) {
		mark_broken(vq);
		return NULL;
	}
	id = __atomic_load_n(&vq->used->ring[vq->used_seen & (vq->size - 1)].id,
	    __ATOMIC_RELAXED);
	len =
	    __atomic_load_n(&vq->used->ring[vq->used_seen & (vq->size - 1)].len,
		__ATOMIC_RELAXED);
	if (id >= vq->size || !vq->chains[id].token ||
	    len > vq->chains[id].in_bytes) {
		mark_broken(vq);
		return NULL;
	}
	vq->used_seen++;
	*written = len;
	return chain_release(vq, (uint16_t)id);
}

bool vq_interrupts_on(struct virtqueue *vq)
{
	if (vq->event_idx)
		__atomic_store_n(
		    used_event(vq), vq->used_seen, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&vq->avail->flags, 0, __ATOMIC_RELAXED);
	full_fence(vq);
	return vq->broken || used_index(vq) == vq->used_seen;
}

void vq_interrupts_off(struct virtqueue *vq)
{
	/* With event index: an index half a turn behind is never reached. */
	if (vq->event_idx)
		__atomic_store_n(used_event(vq), (uint16_t)(vq->used_seen - 1),
		    __ATOMIC_RELAXED);
	else
		__atomic_store_n(&vq->avail->flags, VRING_AVAIL_F_NO_INTERRUPT,
		    __ATOMIC_RELAXED);
}

void *vq_drain(struct virtqueue *vq)
{
	for (uint16_t i = 0; i < vq->size; i++)
		if (vq->chains[i].token)
			return chain_release(vq, i);
	return NULL;
}

unsigned vq_space(const struct virtqueue *vq)
{
	return vq->broken ? 0 : vq->free_count;
}

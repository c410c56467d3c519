/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Split virtqueues, driver side: virtio 1.2, 2.6 to 2.7.
 *
 * A queue lives in memory shared with the device, which may be hostile or
 * broken.  The driver therefore keeps its own record of every chain and
 * never reads back what the device could have changed; the used index, the
 * used ids and lengths are checked before use.  What fails a check marks the
 * queue broken: from then on nothing is submitted or returned, and the
 * owner's `broken` callback tells it to fail its users with EIO.
 *
 * The code takes memory and a notify function and never touches hardware,
 * so that it also runs on the host, in unit tests and under fuzzers.
 *
 * Locking is the caller's: one lock per queue around all calls.
 */
#ifndef TORIL_DRIVERS_VIRTIO_VIRTQUEUE_H
#define TORIL_DRIVERS_VIRTIO_VIRTQUEUE_H

#include "kernel/lib/base.h"
#include "kernel/mm/uaccess.h"

#define VQ_SIZE_MAX     256
#define VQ_INDIRECT_MAX (PAGE_SIZE / 16) /* descriptors of one table */

struct vq_desc;
struct vq_avail;
struct vq_used;

/* Driver-private record of a chain in flight. */
struct vq_chain {
	void *token;              /* NULL: not in flight */
	struct vq_desc *indirect; /* owned table, kept for the next chain */
	uint16_t room;            /* its entries */
	uint16_t next;     /* free list, or next descriptor of the chain */
	uint16_t count;    /* descriptors of the ring it occupies */
	uint32_t in_bytes; /* what the device may write at most */
};

struct virtqueue {
	uint16_t size;
	uint16_t free_head, free_count;
	uint16_t avail_idx;  /* next to publish */
	uint16_t kicked_idx; /* avail_idx at the last kick decision */
	uint16_t used_seen;  /* next used entry to take */
	bool event_idx, indirect, broken;
	struct vq_desc *desc;
	struct vq_avail *avail;
	struct vq_used *used;
	struct vq_chain *chains; /* size of them */
	void (*notify)(struct virtqueue *vq);
	void (*fence)(void); /* where a fence instruction is not enough */
	void (*on_broken)(struct virtqueue *vq);
	uint64_t (*to_phys)(const void *p); /* of indirect tables */
	unsigned index;
	void *priv; /* the owner's */
};

/* Bytes of shared, physically contiguous, page-aligned memory for a queue. */
size_t vq_memory_size(uint16_t size);

/* Lay a queue out in `memory` (zeroed) and `chains` (size of them, zeroed).
 * size is a power of two, at most VQ_SIZE_MAX. */
void vq_init(
    struct virtqueue *vq, uint16_t size, void *memory, struct vq_chain *chains);

/*
 * Publish a chain: the device reads `out` and then writes `in` (2.7.4.2).
 * A table of descriptors is allocated where indirect ones were negotiated and
 * the chain has more than one piece; else pieces take ring entries.  `token`
 * comes back from vq_get; it may not be NULL.  0, -ENOSPC (try when one has
 * come back), -ENOMEM, -EIO (broken), -E2BIG.  Does not notify.
 */
int vq_submit(struct virtqueue *vq, const struct sg *out, unsigned n_out,
    const struct sg *in, unsigned n_in, void *token);

/* Whether there is anything to kick for; of what others do meanwhile this
 * needs no lock to know what the caller itself has published. */
static inline bool vq_unkicked(const struct virtqueue *vq)
{
	return __atomic_load_n(&vq->avail_idx, __ATOMIC_RELAXED) !=
	       __atomic_load_n(&vq->kicked_idx, __ATOMIC_RELAXED);
}

/* Notify the device of what was published, if it wants to know (2.7.10). */
void vq_kick(struct virtqueue *vq);

/* The same in two steps, for a queue with a lock: true if vq->notify(vq) is to
 * be called, which needs no lock and takes long on a virtual machine. */
bool vq_kick_prepare(struct virtqueue *vq);

/* Whether vq_get() has something to do: a hint that needs no lock. */
bool vq_has_news(const struct virtqueue *vq);

/* Take a finished chain: its token and the bytes the device says it wrote
 * (never more than it was given), or NULL. */
void *vq_get(struct virtqueue *vq, uint32_t *written);

/* Switch the device's interrupts on.  Returns false if chains finished
 * meanwhile: take them and try again (2.7.7.1). */
bool vq_interrupts_on(struct virtqueue *vq);
void vq_interrupts_off(struct virtqueue *vq);

/* After a reset: hand back the tokens of all chains in flight, one a call,
 * then NULL. */
void *vq_drain(struct virtqueue *vq);

/* Chains that could be submitted now. */
unsigned vq_space(const struct virtqueue *vq);

#endif

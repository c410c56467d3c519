/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's side of a split virtqueue (virtio 1.2, 2.7) in memory that a
 * guest shares, and that guest's memory.
 *
 * Nothing that the guest writes is believed: each address is looked up in
 * the table of regions that QEMU gave, each chain is walked at most as far as
 * its table is long, and each descriptor is read once.
 */
#ifndef TORIL_HOST_VQ_H
#define TORIL_HOST_VQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define GUEST_REGIONS 8
#define VQ_CHAIN_MAX  1024 /* descriptors in a chain, as in QEMU */

struct guest_region {
	uint64_t gpa;  /* where the guest sees it */
	uint64_t uva;  /* where QEMU sees it */
	uint64_t size; /* bytes */
	uint8_t *host; /* where we see it */
	void *map;     /* what to unmap */
	size_t map_len;
};

struct guest_mem {
	unsigned count;
	struct guest_region region[GUEST_REGIONS];
};

/* `len` bytes of guest memory, or NULL where they are not all in one region */
void *guest_mem_at(const struct guest_mem *mem, uint64_t gpa, uint64_t len);
void *guest_mem_at_uva(const struct guest_mem *mem, uint64_t uva, uint64_t len);
void guest_mem_unmap(struct guest_mem *mem);

struct vring_desc;
struct vring_avail;
struct vring_used;

struct vq {
	const struct guest_mem *mem;
	unsigned size; /* descriptors; a power of two */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t next_avail;   /* the next entry of the available ring */
	uint16_t next_used;    /* the next entry of the used ring */
	uint16_t told_used;    /* next_used when the guest was last told */
	bool event_idx;        /* VIRTIO_F_EVENT_IDX was negotiated */
	bool running, enabled; /* as vhost-user says */
	int kick_fd, call_fd;  /* eventfds, or -1 */
	uint64_t uva_desc, uva_avail, uva_used;
	uint64_t kicks, calls; /* counted for --verbose */
};

struct vq_chain {
	uint16_t head;
	int out_count, in_count; /* the device reads `out`, writes `in` */
	size_t out_len, in_len;
	struct iovec iov[VQ_CHAIN_MAX]; /* out, then in */
};

/* Find the three rings; -EFAULT where they are not in guest memory. */
int vq_map(struct vq *q);

/* The next available chain, which stays available until vq_take(): 1, 0 if
 * there is none, -EPROTO if the guest broke the ring. */
int vq_peek(struct vq *q, struct vq_chain *chain);
void vq_take(struct vq *q);

/* Give a chain back with `len` bytes written. */
void vq_give(struct vq *q, uint16_t head, uint32_t len);

/* Ask to be kicked for the next chain: true if one is there already. */
bool vq_listen(struct vq *q);

/* Whether the guest wants to hear of what was given since the last call. */
bool vq_must_call(struct vq *q);

#endif

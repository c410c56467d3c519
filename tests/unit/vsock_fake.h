/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A transport under vsock.c whose other end is the test: packets that the
 * kernel sends are kept in order, and packets of the host are made up.
 */
#ifndef TORIL_TESTS_UNIT_VSOCK_FAKE_H
#define TORIL_TESTS_UNIT_VSOCK_FAKE_H

#include <string.h>
#include "kernel/fs/file.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/vsock.h"
#include "kernel/sched/timer.h"
#include "tests/unit/shim/shim.h"

#define GUEST_CID 77u
#define SENT_MAX  4096

static struct {
	struct vsock_packet *sent[SENT_MAX];
	unsigned head, tail; /* next to look at; next free */
	unsigned room;       /* packets the ring still takes */
	unsigned wakes;
	bool dead;
} fake;

static int fake_send(struct vsock_packet *p)
{
	if (fake.dead)
		return -EIO;
	if (!fake.room || fake.tail == SENT_MAX)
		return -ENOSPC;
	fake.room--;
	fake.sent[fake.tail++] = p;
	return 0;
}

static void fake_flush(void)
{
}

static void fake_wake(void)
{
	fake.wakes++;
}

static void fake_forget(void)
{
	while (fake.tail)
		vsock_packet_free(fake.sent[--fake.tail]);
	fake.head = 0;
}

static void fake_start(void)
{
	static const struct vsock_transport transport = {
	    .send = fake_send, .flush = fake_flush, .wake = fake_wake};

	fake_forget();
	fake.room = SENT_MAX;
	fake.wakes = 0;
	fake.dead = false;
	shim_memory_left = -1;
	vsock_init(&transport, GUEST_CID);
}

/* Give a packet with n payload bytes to the kernel. */
static void fake_input(
    struct virtio_vsock_hdr h, const void *data, uint32_t n, bool may_keep)
{
	long left = shim_memory_left;
	struct page *page;

	shim_memory_left = -1;   /* the ring's buffers are there already */
	page = page_alloc(4, 0); /* 64 KiB: the longest */
	shim_memory_left = left;
	h.len = n;
	if (n)
		memcpy((char *)page_to_virt(page) + 44, data, n);
	if (!vsock_input(&h, page, 44, may_keep))
		page_unref(page);
}

#endif

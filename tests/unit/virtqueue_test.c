/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtqueues against a device that the test plays: a correct one first, then
 * one that lies about ids, lengths and indices.
 */
#include "tests/unit/cmocka.h"
#include <stdlib.h>
#include <string.h>
#include <linux/virtio_ring.h>
#include "drivers/virtio/virtqueue.h"
#include "kernel/mm/kmem.h"
#include "tests/unit/shim/shim.h"

#define SIZE 16

struct device {
	struct virtqueue vq;
	struct vq_chain chains[VQ_SIZE_MAX];
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	void *memory;
	unsigned kicks, broken;
	uint16_t seen; /* of the available ring */
};

static struct device d;

static void on_notify(struct virtqueue *vq)
{
	assert_ptr_equal(vq, &d.vq);
	d.kicks++;
}

static void on_broken(struct virtqueue *vq)
{
	assert_ptr_equal(vq, &d.vq);
	d.broken++;
}

static uint64_t to_phys(const void *p)
{
	return (uintptr_t)p;
}

static void start_sized(uint16_t size, bool indirect, bool event_idx)
{
	size_t n = vq_memory_size(size);

	memset(&d, 0, sizeof(d));
	d.memory = calloc(1, n);
	d.vq.notify = on_notify;
	d.vq.on_broken = on_broken;
	d.vq.to_phys = to_phys;
	d.vq.indirect = indirect;
	d.vq.event_idx = event_idx;
	vq_init(&d.vq, size, d.memory, d.chains);
	d.desc = d.memory;
	d.avail = (void *)((char *)d.memory + 16u * size);
	d.used = (void *)((char *)d.memory + 16u * size +
			  (6u + 2u * size + 3u) / 4u * 4u);
}

static void start(bool indirect, bool event_idx)
{
	start_sized(SIZE, indirect, event_idx);
}

static void stop(void)
{
	for (unsigned i = 0; i < d.vq.size; i++)
		kfree(d.chains[i].indirect);
	free(d.memory);
	assert_int_equal(shim_memory_used, 0);
}

static int submit(unsigned n_out, unsigned n_in, void *token)
{
	static const struct sg out[300] = {{0x1000, 10}, {0x2000, 20}};
	static const struct sg in[300] = {{0x3000, 30}, {0x4000, 40}};

	return vq_submit(&d.vq, out, n_out, in, n_in, token);
}

/* The device takes the next chain; its head. */
static uint16_t take(void)
{
	assert_int_not_equal(d.seen, d.avail->idx);
	return d.avail->ring[d.seen++ % d.vq.size];
}

static void put(uint32_t id, uint32_t len)
{
	struct vring_used_elem *e = &d.used->ring[d.used->idx % d.vq.size];

	e->id = id;
	e->len = len;
	d.used->idx++;
}

static void *get(uint32_t *len)
{
	return vq_get(&d.vq, len);
}

static void direct_chain_has_flags_and_order(void **state)
{
	struct vring_desc *e;
	uint32_t len;

	(void)state;
	start(false, false);
	assert_int_equal(submit(2, 2, &d), 0);
	e = &d.desc[take()];
	assert_int_equal(e->addr, 0x1000);
	assert_int_equal(e->len, 10);
	assert_int_equal(e->flags, VRING_DESC_F_NEXT);
	e = &d.desc[e->next];
	assert_int_equal(e->addr, 0x2000);
	assert_int_equal(e->flags, VRING_DESC_F_NEXT);
	e = &d.desc[e->next];
	assert_int_equal(e->addr, 0x3000);
	assert_int_equal(e->flags, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE);
	e = &d.desc[e->next];
	assert_int_equal(e->len, 40);
	assert_int_equal(e->flags, VRING_DESC_F_WRITE);
	assert_int_equal(vq_space(&d.vq), SIZE - 4);
	assert_null(get(&len));
	put(d.avail->ring[0], 70);
	assert_ptr_equal(get(&len), &d);
	assert_int_equal(len, 70);
	assert_null(get(&len));
	assert_int_equal(vq_space(&d.vq), SIZE);
	stop();
}

static void indirect_chain_takes_one_entry(void **state)
{
	struct vring_desc *e, *table;
	uint32_t len;

	(void)state;
	start(true, false);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(submit(1, 2, &d), 0);
		assert_int_equal(vq_space(&d.vq), SIZE - 1);
		e = &d.desc[take()];
		assert_int_equal(e->flags, VRING_DESC_F_INDIRECT);
		assert_int_equal(e->len, 3 * 16);
		table = (void *)(uintptr_t)e->addr;
		assert_int_equal(table[0].flags, VRING_DESC_F_NEXT);
		assert_int_equal(table[0].next, 1);
		assert_int_equal(table[1].addr, 0x3000);
		assert_int_equal(
		    table[1].flags, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE);
		assert_int_equal(table[2].flags, VRING_DESC_F_WRITE);
		put((uint32_t)(e - d.desc), 0);
		assert_ptr_equal(get(&len), &d);
	}
	assert_int_equal(submit(1, 0, &d), 0);
	assert_int_equal(d.desc[take()].flags, 0); /* one piece: direct */
	assert_int_equal(submit(200, 200, &d), -E2BIG);
	stop();
}

static void indirect_without_memory(void **state)
{
	(void)state;
	start(true, false);
	shim_memory_left = 0;
	assert_int_equal(submit(2, 2, &d), -ENOMEM);
	assert_int_equal(vq_space(&d.vq), SIZE);
	assert_int_equal(d.avail->idx, 0);
	shim_memory_left = -1;
	assert_int_equal(submit(2, 2, &d), 0);
	stop();
}

static void full_ring(void **state)
{
	uint32_t len;

	(void)state;
	start(false, false);
	assert_int_equal(submit(10, 7, &d), -E2BIG);
	for (int i = 0; i < 5; i++)
		assert_int_equal(submit(2, 1, &d), 0);
	assert_int_equal(submit(1, 1, &d), -ENOSPC);
	assert_int_equal(submit(1, 0, &d), 0);
	assert_int_equal(vq_space(&d.vq), 0);
	assert_int_equal(submit(1, 0, &d), -ENOSPC);
	take();
	put(take(), 0); /* the second, out of order */
	assert_non_null(get(&len));
	assert_int_equal(submit(2, 1, &d), 0);
	stop();
}

/* Many turns of the 16-bit indices, with chains in flight all the time. */
static void indices_wrap(void **state)
{
	static int token[VQ_SIZE_MAX];
	uint32_t len;

	(void)state;
	start(false, true);
	assert_int_equal(submit(1, 1, &token[0]), 0);
	for (unsigned i = 1; i < 200000; i++) {
		int *expect = &token[(i - 1) % 7], *got;
		assert_int_equal(submit(1, 1, &token[i % 7]), 0);
		vq_kick(&d.vq);
		put(take(), i % 31);
		got = get(&len);
		assert_ptr_equal(got, expect);
		assert_int_equal(len, i % 31);
	}
	assert_int_equal(d.broken, 0);
	stop();
}

static void kicks_follow_the_flag(void **state)
{
	(void)state;
	start(false, false);
	vq_kick(&d.vq);
	assert_int_equal(d.kicks, 0);
	assert_int_equal(submit(1, 0, &d), 0);
	vq_kick(&d.vq);
	assert_int_equal(d.kicks, 1);
	vq_kick(&d.vq);
	assert_int_equal(d.kicks, 1);
	d.used->flags = VRING_USED_F_NO_NOTIFY;
	assert_int_equal(submit(1, 0, &d), 0);
	vq_kick(&d.vq);
	assert_int_equal(d.kicks, 1);
	stop();
}

static void kicks_follow_the_event_index(void **state)
{
	uint16_t *event = (uint16_t *)&d;

	(void)state;
	start(false, true);
	event = (uint16_t *)&d.used->ring[SIZE];
	*event = 2; /* after the third */
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(submit(1, 0, &d), 0);
		vq_kick(&d.vq);
		assert_int_equal(d.kicks, i >= 2);
	}
	*event = 7;
	for (int i = 0; i < 4; i++)
		assert_int_equal(submit(1, 0, &d), 0);
	vq_kick(&d.vq); /* crossed within a batch */
	assert_int_equal(d.kicks, 2);
	stop();
}

static void interrupts_on_sees_what_came(void **state)
{
	uint32_t len;

	(void)state;
	for (int event_idx = 0; event_idx < 2; event_idx++) {
		start(false, event_idx);
		vq_interrupts_off(&d.vq);
		if (!event_idx)
			assert_int_equal(
			    d.avail->flags, VRING_AVAIL_F_NO_INTERRUPT);
		assert_int_equal(submit(1, 1, &d), 0);
		assert_true(vq_interrupts_on(&d.vq));
		put(take(), 1);
		assert_false(vq_interrupts_on(&d.vq));
		assert_non_null(get(&len));
		assert_true(vq_interrupts_on(&d.vq));
		if (event_idx)
			assert_int_equal(d.avail->ring[SIZE], 1);
		stop();
	}
}

static void drain_returns_all(void **state)
{
	int token[3], left = 7;
	void *t;

	(void)state;
	start(true, false);
	for (int i = 0; i < 3; i++)
		assert_int_equal(submit(2, 2, &token[i]), 0);
	while ((t = vq_drain(&d.vq)))
		left &= ~(1 << ((int *)t - token));
	assert_int_equal(left, 0);
	assert_int_equal(vq_space(&d.vq), SIZE);
	stop();
}

/* Each lie breaks the queue once, and nothing goes on after it. */
static void assert_broken(void)
{
	uint32_t len = 0;

	assert_null(get(&len));
	assert_int_equal(d.broken, 1);
	assert_null(get(&len));
	assert_int_equal(d.broken, 1);
	assert_int_equal(submit(1, 1, &d), -EIO);
	assert_int_equal(vq_space(&d.vq), 0);
	vq_kick(&d.vq);
	assert_int_equal(d.kicks, 0);
	while (vq_drain(&d.vq))
		;
	stop();
}

static void lie_of_an_id_beyond_the_ring(void **state)
{
	(void)state;
	start(false, false);
	assert_int_equal(submit(1, 1, &d), 0);
	put(SIZE, 1);
	assert_broken();
	start(false, false);
	assert_int_equal(submit(1, 1, &d), 0);
	put(0xffffffff, 1);
	assert_broken();
}

static void lie_of_a_chain_not_in_flight(void **state)
{
	(void)state;
	start(false, false);
	assert_int_equal(submit(1, 1, &d), 0);
	put((uint32_t)take() ^ 8, 1);
	assert_broken();
	/* the middle of a chain is no head */
	start(false, false);
	assert_int_equal(submit(1, 1, &d), 0);
	put(d.desc[take()].next, 1);
	assert_broken();
}

static void lie_of_the_same_chain_twice(void **state)
{
	uint32_t len;
	uint16_t head;

	(void)state;
	start(true, false);
	assert_int_equal(submit(1, 1, &d), 0);
	assert_int_equal(submit(1, 1, &d), 0);
	head = take();
	put(head, 1);
	put(head, 1);
	assert_non_null(get(&len));
	assert_broken();
}

static void lie_of_more_written_than_given(void **state)
{
	(void)state;
	start(false, false);
	assert_int_equal(submit(1, 2, &d), 0);
	put(take(), 71);
	assert_broken();
	start(false, false);
	assert_int_equal(submit(2, 0, &d), 0);
	put(take(), 1);
	assert_broken();
}

static void lie_of_an_index_that_jumps(void **state)
{
	(void)state;
	/* more than the two descriptors in flight */
	for (int jump = 3; jump < 0x10000; jump = jump * 3 + 1) {
		start(false, false);
		assert_int_equal(submit(1, 1, &d), 0);
		put(take(), 1);
		d.used->idx = (uint16_t)jump;
		assert_broken();
	}
	start(false, false);
	assert_int_equal(submit(1, 1, &d), 0);
	d.used->idx = 0xffff; /* backwards */
	assert_broken();
}

/* What the device writes into descriptors must not matter. */
static void descriptors_are_never_read_back(void **state)
{
	int token[4];
	uint32_t len;
	uint16_t head;

	(void)state;
	for (int indirect = 0; indirect < 2; indirect++) {
		start(indirect, false);
		for (int round = 0; round < 50; round++) {
			for (int i = 0; i < 4; i++)
				assert_int_equal(submit(2, 1, &token[i]), 0);
			memset(d.desc, 0xff, 16 * SIZE);
			for (int i = 0; i < 4; i++) {
				head = take();
				put(head, 30);
				assert_ptr_equal(get(&len), &token[i]);
			}
			assert_int_equal(vq_space(&d.vq), SIZE);
		}
		stop();
	}
}

static void smallest_and_largest(void **state)
{
	uint32_t len;

	(void)state;
	start_sized(1, false, true);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(submit(1, 0, &d), 0);
		assert_int_equal(submit(1, 0, &d), -ENOSPC);
		put(take(), 0);
		assert_non_null(get(&len));
	}
	stop();
	start_sized(VQ_SIZE_MAX, false, true);
	assert_int_equal(submit(200, 56, &d), 0);
	put(take(), 70);
	assert_non_null(get(&len));
	stop();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(direct_chain_has_flags_and_order),
	    cmocka_unit_test(indirect_chain_takes_one_entry),
	    cmocka_unit_test(indirect_without_memory),
	    cmocka_unit_test(full_ring),
	    cmocka_unit_test(indices_wrap),
	    cmocka_unit_test(kicks_follow_the_flag),
	    cmocka_unit_test(kicks_follow_the_event_index),
	    cmocka_unit_test(interrupts_on_sees_what_came),
	    cmocka_unit_test(drain_returns_all),
	    cmocka_unit_test(lie_of_an_id_beyond_the_ring),
	    cmocka_unit_test(lie_of_a_chain_not_in_flight),
	    cmocka_unit_test(lie_of_the_same_chain_twice),
	    cmocka_unit_test(lie_of_more_written_than_given),
	    cmocka_unit_test(lie_of_an_index_that_jumps),
	    cmocka_unit_test(descriptors_are_never_read_back),
	    cmocka_unit_test(smallest_and_largest),
	};

	return RUN_TAP(tests);
}

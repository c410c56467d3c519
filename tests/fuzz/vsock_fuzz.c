/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vsock state machine: a host that sends any packets to a program that
 * makes any calls, with memory, ring space and time running out at times.
 * At the end nothing is left, and more than the window was never taken in.
 */
#include <stdlib.h>
#include "tests/unit/vsock_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define USERS 8

static struct vsock_conn *user[USERS];

static bool keep(struct vsock_conn *c)
{
	for (int i = 0; i < USERS; i++)
		if (!user[i]) {
			user[i] = c;
			return true;
		}
	return false;
}

static bool on_accept(struct vsock_listener *l, struct vsock_conn *c)
{
	(void)l;
	return keep(c);
}

static bool has_room(struct vsock_listener *l)
{
	return l->owner != NULL;
}

static bool eat_three(struct vsock_conn *c)
{
	if (byteq_bytes(&c->rx) < 3)
		return false;
	vsock_consume(c, 3);
	return true;
}

static struct vsock_listener plain = {
    .port = 80, .accept = on_accept, .has_room = has_room, .owner = &plain};
static struct vsock_listener filtered = {.port = 81,
    .accept = on_accept,
    .has_room = has_room,
    .filter = eat_three,
    .owner = &plain};

static void input(const uint8_t *d)
{
	static const uint8_t payload[70000];
	const struct vsock_conn *c = user[d[1] % USERS];
	struct virtio_vsock_hdr h = {.src_cid = d[2] == 255 ? 3 : 2,
	    .dst_cid = d[2] == 254 ? 3 : GUEST_CID,
	    .type = d[2] == 253 ? 2 : VIRTIO_VSOCK_TYPE_STREAM,
	    .op = d[0] >> 4,
	    .flags = d[3],
	    .buf_alloc = (uint32_t)d[4] << (d[5] % 25),
	    .fwd_cnt = c && d[6] & 1 ? c->tx_cnt : d[6] * 1001u};

	h.dst_port = c && d[1] & 64 ? c->local_port : 79 + (d[1] & 3);
	h.src_port = c && d[1] & 64 ? c->peer_port : d[1] >> 2;
	fake_input(h, payload,
	    h.op == VIRTIO_VSOCK_OP_RW ? d[7] * (d[3] & 3 ? 250u : 3u) : 0,
	    d[7] & 1);
}

static void move(struct vsock_conn *c, size_t n, int how)
{
	static char buf[70000];
	struct iovec iov = {buf, n};
	struct iov_iter it;
	ssize_t r;

	iter_init(&it, &iov, 1, false);
	r = how == 0 ? c->s.ops->send(&c->s, &it)
		     : c->s.ops->recv(&c->s, &it, how == 2);
	if (r > (ssize_t)n)
		abort();
}

static void act(const uint8_t *d)
{
	struct vsock_conn **u = &user[d[1] % USERS], *c = *u;
	int err;

	switch (d[0] >> 4) {
	case 0:
		c = vsock_connect(
		    d[2], d[3] & 1 ? eat_three : NULL, NULL, &err);
		if (c && !keep(c))
			c->s.ops->close(&c->s);
		return;
	case 1:
		vsock_tx_ready();
		return;
	case 2:
		fake.room = d[2];
		return;
	case 3:
		shim_memory_left = d[2] > 200 ? -1 : d[2];
		return;
	case 4:
		shim_now += (uint64_t)d[2] * 100 * NSEC_PER_MSEC;
		vsock_run_timers();
		return;
	case 5:
		plain.owner = d[2] & 1 ? &plain : NULL;
		return;
	case 6:
		if (d[2] == 7)
			vsock_transport_reset();
		return;
	}
	if (!c)
		return;
	if (byteq_bytes(&c->rx) > c->buf_alloc)
		abort(); /* more than was promised */
	(void)c->s.ops->poll(&c->s);
	switch (d[0] >> 4) {
	case 7:
	case 8:
		move(c, d[2] * 270u, 0);
		return;
	case 9:
	case 10:
		move(c, d[2] * 270u, 1);
		return;
	case 11:
		move(c, d[2], 2);
		return;
	case 12:
		c->s.ops->shutdown(&c->s, d[2] & 3);
		return;
	case 13:
		vsock_set_buffer(c, d[2] * 1024u);
		return;
	case 14:
		(void)vsock_take_error(c);
		return;
	case 15:
		*u = NULL;
		c->s.ops->close(&c->s);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fake_start();
	plain.owner = &plain;
	list_init(&plain.node);
	list_init(&filtered.node);
	(void)vsock_listen(&plain);
	(void)vsock_listen(&filtered);
	for (; size >= 8; data += 8, size -= 8)
		if (data[0] & 1)
			input(data);
		else
			act(data);
	shim_memory_left = -1;
	for (int i = 0; i < USERS; i++) {
		if (user[i])
			user[i]->s.ops->close(&user[i]->s);
		user[i] = NULL;
	}
	vsock_unlisten(&plain);
	vsock_unlisten(&filtered);
	vsock_transport_reset();
	fake_forget();
	if (shim_memory_used || shim_locks_held)
		abort();
	return 0;
}

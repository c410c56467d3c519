/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocols in front of a connection, guest's side: SOCKS replies on one
 * that goes out, a PROXY header on one that comes in.  The input's first byte
 * chooses; each piece of what follows is one packet, its length first.
 */
#include <stdlib.h>
#include "kernel/net/inet_addr.h"
#include "tests/unit/vsock_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vsock_conn *accepted;

bool inet_is_v4(const struct inet_addr *a)
{
	return a->ip[10] == 0xff;
}

void inet_any_v4(struct inet_addr *a)
{
	*a = (struct inet_addr){.ip = {[10] = 0xff, [11] = 0xff}};
}

void inet_loopback_v4(struct inet_addr *a, uint16_t port)
{
	inet_any_v4(a);
	a->ip[12] = 127;
	a->port = port;
}

static bool on_accept(struct vsock_listener *l, struct vsock_conn *c)
{
	struct inet_addr peer, local;
	uint8_t h[16];
	unsigned len;

	(void)l;
	if (byteq_peek(&c->rx, h, sizeof(h)) < sizeof(h))
		abort();
	len = (unsigned)h[14] << 8 | h[15];
	if (h[12] == 0x21 && len < (h[13] == 0x11 ? 12u : 36u))
		abort(); /* no room for the addresses */
	if (accepted)
		return false;
	proxy_take(c, &peer, &local);
	accepted = c;
	return true;
}

static bool has_room(struct vsock_listener *l)
{
	(void)l;
	return true;
}

static struct vsock_listener listener = {.port = 80,
    .accept = on_accept,
    .has_room = has_room,
    .filter = proxy_filter};

static struct virtio_vsock_hdr reply_to(uint16_t op, uint32_t local)
{
	return (struct virtio_vsock_hdr){.src_cid = 2,
	    .dst_cid = GUEST_CID,
	    .type = VIRTIO_VSOCK_TYPE_STREAM,
	    .op = op,
	    .src_port = 1080,
	    .dst_port = local,
	    .buf_alloc = 65536};
}

static void pieces(const uint8_t *data, size_t size, uint32_t local)
{
	while (size) {
		size_t n = data[0] < size - 1 ? data[0] : size - 1;
		fake_input(reply_to(VIRTIO_VSOCK_OP_RW, local), data + 1,
		    (uint32_t)n, false);
		data += 1 + n;
		size -= 1 + n;
	}
}

static void outgoing(const uint8_t *data, size_t size)
{
	struct inet_addr to;
	struct vsock_conn *c;
	int err;

	inet_loopback_v4(&to, 7);
	c = socks_connect(1080, &to, &err);
	if (!c)
		abort();
	fake_input(
	    reply_to(VIRTIO_VSOCK_OP_RESPONSE, c->local_port), NULL, 0, false);
	pieces(data, size, c->local_port);
	if (vsock_is_connected(c) && c->filter)
		(void)vsock_take_error(c);
	c->s.ops->close(&c->s);
}

static void incoming(const uint8_t *data, size_t size)
{
	list_init(&listener.node);
	if (vsock_listen(&listener))
		abort();
	fake_input(
	    reply_to(VIRTIO_VSOCK_OP_REQUEST, listener.port), NULL, 0, false);
	pieces(data, size, listener.port);
	if (accepted)
		accepted->s.ops->close(&accepted->s);
	accepted = NULL;
	vsock_unlisten(&listener);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	fake_start();
	if (data[0] & 1)
		incoming(data + 1, size - 1);
	else
		outgoing(data + 1, size - 1);
	vsock_transport_reset();
	fake_forget();
	if (shim_memory_used || shim_locks_held)
		abort();
	return 0;
}

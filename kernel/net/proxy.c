/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PROXY protocol version 2, receiving side (HAProxy's proxy-protocol.txt,
 * section 2.2): who the client of a published port is.
 */
#include "kernel/lib/string.h"
#include "kernel/net/inet_addr.h"
#include "kernel/net/vsock.h"

#define FIXED      16u
#define HEADER_MAX (FIXED + 216u + 256u) /* addresses, and some TLVs */
#define CMD_PROXY  0x21
#define CMD_LOCAL  0x20
#define TCP_V4     0x11
#define TCP_V6     0x21

static const uint8_t signature[12] = {
    0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 'Q', 'U', 'I', 'T', 0x0a};

static unsigned be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* Length of a valid header's address part for its family. */
static unsigned address_len(const uint8_t *h)
{
	if (h[12] == CMD_LOCAL)
		return 0;
	return h[13] == TCP_V4 ? 12 : h[13] == TCP_V6 ? 36 : UINT32_MAX;
}

bool proxy_filter(struct vsock_conn *c)
{
	uint8_t h[FIXED];
	size_t n = byteq_peek(&c->rx, h, sizeof(h));
	unsigned len;

	if (memcmp(h, signature, min(n, sizeof(signature))))
		goto bad;
	if (n < FIXED)
		return false;
	len = be16(h + 14);
	if ((h[12] != CMD_PROXY && h[12] != CMD_LOCAL) ||
	    len < address_len(h) || FIXED + len > HEADER_MAX)
		goto bad;
	return byteq_bytes(&c->rx) >= FIXED + len;
bad:
	vsock_kill(c, ECONNRESET);
	return false;
}

static void set(
    struct inet_addr *a, const uint8_t *ip, bool v4, const uint8_t *port)
{
	inet_any_v4(a);
	if (v4)
		memcpy(a->ip + 12, ip, 4);
	else
		memcpy(a->ip, ip, 16);
	a->port = (uint16_t)be16(port);
}

void proxy_take(
    struct vsock_conn *c, struct inet_addr *peer, struct inet_addr *local)
{
	uint8_t h[FIXED + 36];
	const uint8_t *p = h + FIXED;

	byteq_peek(&c->rx, h, sizeof(h));
	if (h[12] == CMD_LOCAL) {
		inet_loopback_v4(peer, 0);
		inet_loopback_v4(local, 0);
	} else if (h[13] == TCP_V4) {
		set(peer, p, true, p + 8);
		set(local, p + 4, true, p + 10);
	} else {
		set(peer, p, false, p + 32);
		set(local, p + 16, false, p + 34);
	}
	vsock_consume(c, FIXED + be16(h + 14));
}

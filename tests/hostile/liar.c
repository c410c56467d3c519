/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes of toril-run a host that lies on some of its vsock connections: what
 * goes to the guest's port 7001, and what the guest's SOCKS connections hear.
 * It is linked before conn_step(), which fills in one packet at a time, and
 * vq_give(), which hands it over (--wrap), so that the launcher itself knows
 * nothing of this.
 *
 * LIAR=KIND SEED PERCENT; at its end it says on LIAR_REPORT how many packets
 * were lies.  Kinds that break the receive ring happen once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_ring.h>

#include "host/vsock_device.h"
#include "kernel/control/wire.h"

#define BAD_PORT (0x10000u + 7001)
#define KEPT     16
#define KEPT_MAX 2048

int __real_conn_step(struct conn *c, struct vq_chain *chain);
int __wrap_conn_step(struct conn *c, struct vq_chain *chain);
void __real_vq_give(struct vq *q, uint16_t head, uint32_t len);
void __wrap_vq_give(struct vq *q, uint16_t head, uint32_t len);

static struct {
	char kind[16];
	unsigned rate;
	uint64_t random, lies;
	unsigned inject; /* packets to put in */
	uint32_t kept_len[KEPT], kept_count;
	uint8_t kept[KEPT][KEPT_MAX];
	struct virtio_vsock_hdr last;
	bool done;
	bool jump;    /* the used index, with the next packet */
	FILE *report; /* opened at once: a confined launcher can't */
	const struct conn *cutting; /* after `left` more bytes */
	uint32_t left, cuts;
} liar;

static uint32_t pick(uint32_t below)
{
	liar.random ^= liar.random << 13;
	liar.random ^= liar.random >> 7;
	liar.random ^= liar.random << 17;
	return (uint32_t)(liar.random >> 16) % below;
}

static uint32_t absurd(void)
{
	static const uint32_t values[] = {0, 1, 43, 44, 4095, 4096, 65536,
	    0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};

	return values[pick(ARRAY_SIZE(values))] + (pick(3) ? 0 : pick(64));
}

static bool is(const char *kind)
{
	return !strcmp(liar.kind, kind);
}

static void report(void)
{
	if (!liar.report)
		return;
	fprintf(liar.report, "%lu\n", (unsigned long)liar.lies);
	fclose(liar.report);
}

__attribute__((constructor)) static void liar_init(void)
{
	const char *text = getenv("LIAR"), *path = getenv("LIAR_REPORT");
	unsigned long seed = 1;

	if (!text ||
	    sscanf(text, "%15s %lu %u", liar.kind, &seed, &liar.rate) != 3)
		exit(2);
	liar.random = seed * 2654435761u + 88172645463325252u;
	liar.report = path ? fopen(path, "we") : NULL;
	atexit(report);
}

static bool is_victim(const struct conn *c)
{
	return c->guest_port == BAD_PORT ||
	       c->host_port == c->dev->v.control_port + CTL_PORT_SOCKS;
}

static void keep(const struct vq_chain *chain, int len)
{
	unsigned i = liar.kept_count++ % KEPT;

	liar.kept_len[i] = MIN((uint32_t)len, KEPT_MAX);
	iov_read(
	    chain->iov, chain->in_count, 0, liar.kept[i], liar.kept_len[i]);
}

/* A packet that nobody has sent: an old one, or more data than there is room
 * for. */
static int inject(struct vq_chain *chain)
{
	struct virtio_vsock_hdr h;
	unsigned i = pick(MIN(liar.kept_count, KEPT));
	static const uint8_t junk[4096];

	liar.inject--;
	liar.lies++;
	if (is("cut")) {
		h = liar.last;
		h.op = VIRTIO_VSOCK_OP_RST;
		h.len = 0;
		iov_write(chain->iov, chain->in_count, 0, &h, sizeof(h));
		return sizeof(h);
	}
	if (is("overrun")) {
		h = liar.last;
		h.op = VIRTIO_VSOCK_OP_RW;
		h.len = (uint32_t)MIN(chain->in_len - sizeof(h), sizeof(junk));
		iov_write(chain->iov, chain->in_count, sizeof(h), junk, h.len);
		iov_write(chain->iov, chain->in_count, 0, &h, sizeof(h));
		return (int)(sizeof(h) + h.len);
	}
	memcpy(&h, liar.kept[i], sizeof(h));
	if (is("reorder")) /* as if it came on the connection of today */
		h.dst_port = liar.last.dst_port;
	h.len = MIN(h.len, liar.kept_len[i] - (uint32_t)sizeof(h));
	memcpy(liar.kept[i], &h, sizeof(h));
	return (int)iov_write(chain->iov, chain->in_count, 0, liar.kept[i],
	    MIN(liar.kept_len[i], chain->in_len));
}

static int lie_ring(struct vq_chain *chain, struct virtio_vsock_hdr *h, int len)
{
	liar.done = true;
	if (is("used-len"))
		return (int)(chain->in_len + 1 + pick(5000));
	if (is("used-id"))
		chain->head = (uint16_t)(1000 + pick(60000));
	else if (is("used-index"))
		liar.jump = true;
	else
		h->len = (uint32_t)(len - 43) + pick(2) * absurd() / 2;
	return len;
}

static int lie(struct vq_chain *chain, struct virtio_vsock_hdr *h, int len)
{
	if (is("type"))
		h->type = (uint16_t)(h->type + 1 + pick(65534));
	else if (is("op"))
		h->op = (uint16_t)pick(pick(2) ? 10 : 65536);
	else if (is("cid"))
		*(pick(2) ? &h->src_cid : &h->dst_cid) = absurd();
	else if (is("port"))
		*(pick(2) ? &h->src_port : &h->dst_port) = absurd();
	else if (is("flags"))
		h->flags = absurd();
	else if (is("credit"))
		*(pick(2) ? &h->buf_alloc : &h->fwd_cnt) = absurd();
	else if (is("reset"))
		h->op = VIRTIO_VSOCK_OP_RST;
	else if (is("request"))
		h->op = VIRTIO_VSOCK_OP_REQUEST;
	else if (is("response"))
		h->op = VIRTIO_VSOCK_OP_RESPONSE;
	else if (is("shutdown"))
		h->op = VIRTIO_VSOCK_OP_SHUTDOWN, h->flags = 1 + pick(3);
	else if (is("short"))
		h->len = h->len ? pick(h->len) : 0;
	else if (is("bits"))
		((uint8_t *)h)[pick(sizeof(*h))] ^= (uint8_t)(1 << pick(8));
	else if (is("replay") || is("reorder"))
		liar.inject += 1 + pick(3);
	else if (is("overrun")) /* first of all, more than all memory */
		liar.inject += liar.lies > 1 ? 100 : 20000;
	else
		return lie_ring(chain, h, len);
	/* more than was written would break the ring, which is another lie */
	h->len = MIN(h->len, (uint32_t)(len - (int)sizeof(*h)));
	return len;
}

/* Each connection ends after one byte more than the one before: a SOCKS
 * exchange has 12, so that after each of them one is reset. */
static void cut(const struct conn *c, struct virtio_vsock_hdr *h)
{
	if (c != liar.cutting) {
		liar.cutting = c;
		liar.left = liar.cuts++ % 13;
	}
	if (h->op != VIRTIO_VSOCK_OP_RW)
		return;
	if (h->len > liar.left) {
		h->len = liar.left;
		liar.inject = 1;
	}
	liar.left -= h->len;
}

int __wrap_conn_step(struct conn *c, struct vq_chain *chain)
{
	struct virtio_vsock_hdr h;
	int len;

	if (!chain || !is_victim(c))
		return __real_conn_step(c, chain);
	if (liar.inject && liar.kept_count)
		return inject(chain);
	len = __real_conn_step(c, chain);
	if (len <= 0)
		return len;
	keep(chain, len);
	iov_read(chain->iov, chain->in_count, 0, &h, sizeof(h));
	liar.last = h;
	if (is("cut")) {
		cut(c, &h);
		iov_write(chain->iov, chain->in_count, 0, &h, sizeof(h));
		return (int)sizeof(h) + (int)h.len;
	}
	if (liar.done || pick(100) >= liar.rate)
		return len;
	liar.lies++;
	len = lie(chain, &h, len);
	iov_write(chain->iov, chain->in_count, 0, &h, sizeof(h));
	return len;
}

/* More packets than there are buffers. */
void __wrap_vq_give(struct vq *q, uint16_t head, uint32_t len)
{
	__real_vq_give(q, head, len);
	if (!liar.jump)
		return;
	liar.jump = false;
	q->next_used = (uint16_t)(q->next_used + q->size + 1 + pick(30000));
	__atomic_store_n(&q->used->idx, q->next_used, __ATOMIC_RELEASE);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The built-in vsock device's rings.
 *
 * All work is done in one task per turn of the loop: packets that the guest
 * sent, then resets for packets that nobody wants, then one packet at a time
 * for each connection with something to say, in turn.  At its end the guest
 * is interrupted at most once per ring, and is asked to kick only for what
 * we wait for: more packets once the ring is empty, receive buffers only
 * after they ran out.
 *
 * A guest that provides no receive buffers while it sends what must be
 * answered by RST is not listened to until it does.
 */
#include "host/vsock_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "host/vhost_user.h"
#include "kernel/control/wire.h"

#define TURN_PACKETS 256

_Static_assert(sizeof(struct virtio_vsock_hdr) == 44, "virtio 1.2, 5.10.6");

void vsock_dev_work(struct vsock_dev *dev)
{
	loop_defer(&dev->task);
}

void vsock_dev_break(struct vsock_dev *dev, const char *why)
{
	if (dev->broken)
		return;
	dev->broken = true;
	if (dev->on_broken)
		dev->on_broken(dev, why);
}

static void reset_add(struct vsock_dev *dev, const struct virtio_vsock_hdr *hdr)
{
	unsigned at = (dev->reset_head + dev->reset_count) % RESET_MAX;

	if (hdr->op == VIRTIO_VSOCK_OP_RST || dev->reset_count == RESET_MAX)
		return;
	dev->reset[at].guest_cid = hdr->src_cid;
	dev->reset[at].host_cid = hdr->dst_cid;
	dev->reset[at].guest_port = hdr->src_port;
	dev->reset[at].host_port = hdr->dst_port;
	dev->reset[at].type = hdr->type;
	dev->reset_count++;
}

/* The guest connects. */
static void dev_request(
    struct vsock_dev *dev, const struct virtio_vsock_hdr *hdr)
{
	uint32_t role = hdr->dst_port - dev->v.control_port;
	struct conn *c;

	if (role >= CTL_PORTS || dev->conn_count >= CONN_MAX) {
		reset_add(dev, hdr);
		return;
	}
	c = conn_new(dev, hdr->src_port, hdr->dst_port);
	if (dev->v.accept(&dev->v, &c->s, role)) {
		conn_free(c);
		reset_add(dev, hdr);
		return;
	}
	c->open = true;
	c->peer_window = hdr->buf_alloc;
	c->peer_taken = hdr->fwd_cnt;
	c->tell = TELL_RESPONSE;
	conn_queue(c);
}

void vsock_dev_packet(struct vsock_dev *dev, const struct virtio_vsock_hdr *hdr,
    const struct iovec *data, int n, size_t data_len)
{
	struct conn *c;

	if (hdr->dst_cid != VSOCK_HOST_CID ||
	    hdr->src_cid != dev->v.guest_cid ||
	    hdr->type != VIRTIO_VSOCK_TYPE_STREAM) {
		reset_add(dev, hdr);
		return;
	}
	c = conn_find(dev, hdr->src_port, hdr->dst_port);
	if (c)
		conn_packet(c, hdr, data, n, data_len);
	else if (hdr->op == VIRTIO_VSOCK_OP_REQUEST)
		dev_request(dev, hdr);
	else
		reset_add(dev, hdr);
}

/* One packet from the guest: 1, 0 if there is none, -EPROTO. */
static int dev_receive(struct vsock_dev *dev)
{
	static struct iovec data[VQ_CHAIN_MAX];
	struct vq *q = &dev->vq[VQ_TX];
	struct vq_chain *c = &dev->chain;
	struct virtio_vsock_hdr hdr;
	int n, ret = vq_peek(q, c);

	if (ret <= 0)
		return ret;
	if (c->out_len < sizeof(hdr))
		return -EPROTO;
	iov_read(c->iov, c->out_count, 0, &hdr, sizeof(hdr));
	if (hdr.len > c->out_len - sizeof(hdr))
		return -EPROTO;
	if (dev->observe)
		dev->observe("from_guest", VQ_TX, &hdr);
	n = iov_slice(data, c->iov, c->out_count, sizeof(hdr), hdr.len);
	vsock_dev_packet(dev, &hdr, data, n, hdr.len);
	vq_take(q);
	vq_give(q, c->head, 0);
	return 1;
}

static uint32_t reset_put(struct vsock_dev *dev)
{
	struct virtio_vsock_hdr hdr = {
	    .src_cid = dev->reset[dev->reset_head].host_cid,
	    .dst_cid = dev->reset[dev->reset_head].guest_cid,
	    .src_port = dev->reset[dev->reset_head].host_port,
	    .dst_port = dev->reset[dev->reset_head].guest_port,
	    .type = dev->reset[dev->reset_head].type,
	    .op = VIRTIO_VSOCK_OP_RST,
	};

	dev->reset_head = (dev->reset_head + 1) % RESET_MAX;
	dev->reset_count--;
	iov_write(dev->chain.iov, dev->chain.in_count, 0, &hdr, sizeof(hdr));
	return sizeof(hdr);
}

/* A receive buffer into dev->chain: 1, 0 if there is none, -EPROTO. */
static int dev_buffer(struct vsock_dev *dev)
{
	struct vq *q = &dev->vq[VQ_RX];
	int ret = vq_peek(q, &dev->chain);

	if (!ret && vq_listen(q))
		ret = vq_peek(q, &dev->chain);
	if (ret > 0 && (dev->chain.out_count ||
			   dev->chain.in_len < sizeof(struct virtio_vsock_hdr)))
		ret = -EPROTO;
	return ret;
}

static void dev_observe_sent(struct vsock_dev *dev)
{
	struct virtio_vsock_hdr hdr;

	iov_read(dev->chain.iov, dev->chain.in_count, 0, &hdr, sizeof(hdr));
	dev->observe("to_guest", VQ_RX, &hdr);
}

/* One packet to the guest: 1, 0 if nothing is to do or no buffer is there. */
static int dev_send(struct vsock_dev *dev)
{
	struct vq *q = &dev->vq[VQ_RX];
	int len, ret;

	if (!dev->reset_count) {
		if (!dev->work)
			return 0;
		len = conn_step(dev->work, NULL);
		if (len != -ENOBUFS)
			return 1; /* done without a packet */
	}
	if (!q->running || !q->enabled)
		return 0;
	ret = dev_buffer(dev);
	if (ret <= 0)
		return ret;
	if (dev->reset_count)
		len = (int)reset_put(dev);
	else
		len = conn_step(dev->work, &dev->chain);
	if (len > 0) {
		if (dev->observe)
			dev_observe_sent(dev);
		vq_take(q);
		vq_give(q, dev->chain.head, (uint32_t)len);
	}
	return 1;
}

static void dev_call(struct vsock_dev *dev, int ring)
{
	struct vq *q = &dev->vq[ring];
	uint64_t one = 1;

	if (!q->running || q->call_fd < 0 || !vq_must_call(q))
		return;
	q->calls++;
	if (dev->observe)
		dev->observe("call", ring, NULL);
	if (write(q->call_fd, &one, sizeof(one)) < 0)
		remark("cannot interrupt the guest: %s", strerror(errno));
}

/* Serve the transmit ring: as above. */
static int dev_serve_tx(struct vsock_dev *dev)
{
	struct vq *q = &dev->vq[VQ_TX];
	int left = TURN_PACKETS, ret;

	if (!q->running || !q->enabled)
		return 0;
	do {
		while (left && dev->reset_count < RESET_MAX) {
			ret = dev_receive(dev);
			if (ret < 0)
				return ret;
			if (!ret)
				break;
			left--;
		}
		if (!left || dev->reset_count == RESET_MAX)
			return 1;
	} while (vq_listen(q));
	return 0;
}

static void dev_run(struct loop_task *task)
{
	struct vsock_dev *dev = container_of(task, struct vsock_dev, task);
	int more, sent = 0;

	if (dev->broken)
		return;
	more = dev_serve_tx(dev);
	for (int left = TURN_PACKETS; more >= 0 && left; left--) {
		sent = dev_send(dev);
		if (sent <= 0)
			break;
	}
	if (more < 0 || sent < 0) {
		vsock_dev_break(dev, "the guest broke a virtio-vsock ring");
		return;
	}
	/* with no receive buffer left, their kick brings us back here */
	if (sent > 0 || (more > 0 && dev->reset_count < RESET_MAX))
		vsock_dev_work(dev);
	dev_call(dev, VQ_TX);
	dev_call(dev, VQ_RX);
}

static void dev_kicked(struct vsock_dev *dev, int ring)
{
	dev->vq[ring].kicks++;
	if (dev->observe)
		dev->observe("kick", ring, NULL);
	vsock_dev_work(dev);
}

static void dev_kicked_rx(struct loop_fd *io, uint32_t events)
{
	(void)events;
	dev_kicked(container_of(io, struct vsock_dev, kick[VQ_RX]), VQ_RX);
}

static void dev_kicked_tx(struct loop_fd *io, uint32_t events)
{
	(void)events;
	dev_kicked(container_of(io, struct vsock_dev, kick[VQ_TX]), VQ_TX);
}

void vsock_dev_kick_fd(struct vsock_dev *dev, int ring, int fd)
{
	struct loop_fd *io = &dev->kick[ring];

	loop_del(io);
	if (dev->vq[ring].kick_fd >= 0)
		close(dev->vq[ring].kick_fd);
	dev->vq[ring].kick_fd = io->fd = fd;
	if (fd < 0)
		return;
	io->ready = ring == VQ_RX ? dev_kicked_rx : dev_kicked_tx;
	/* edges: the counter need never be read */
	if (loop_add(io, EPOLLIN | EPOLLET))
		vsock_dev_break(dev, "QEMU sent a kick that cannot be watched");
}

static void dev_tick(struct loop_timer *timer)
{
	struct vsock_dev *dev = container_of(timer, struct vsock_dev, tick);
	uint64_t now = loop_now();

	for (unsigned i = 0; i < CONN_HASH; i++)
		for (struct conn *c = dev->hash[i]; c; c = c->hash_next)
			conn_tick(c, now);
	if (dev->conn_count)
		loop_timer_set(&dev->tick, 1000);
}

static int dev_connect(struct vsock *v, uint32_t port,
    const struct vsock_user *user, void *arg, struct vsock_stream **out)
{
	struct vsock_dev *dev = container_of(v, struct vsock_dev, v);
	struct conn *c;

	if (dev->conn_count >= CONN_MAX)
		return -EMFILE;
	do { /* above 2^30, so away from the control ports */
		dev->last_port = (dev->last_port + 1) | 1u << 30;
	} while (conn_find(dev, port, dev->last_port));
	c = conn_new(dev, port, dev->last_port);
	c->s.user = user;
	c->s.arg = arg;
	c->tell = TELL_REQUEST;
	conn_queue(c);
	*out = &c->s;
	return 0;
}

void vsock_dev_reset(struct vsock_dev *dev)
{
	for (unsigned i = 0; i < CONN_HASH; i++)
		while (dev->hash[i])
			conn_lost(dev->hash[i], -ECONNRESET);
	dev->reset_count = 0;
}

static void vu_kick_fd(void *dev, int ring, int fd)
{
	vsock_dev_kick_fd(dev, ring, fd);
}

static uint64_t vu_config(void *dev)
{
	return ((struct vsock_dev *)dev)->v.guest_cid;
}

static void vu_pause(void *dev)
{
	(void)dev; /* everything happens in one thread */
}

static void vu_work(void *dev)
{
	vsock_dev_work(dev);
}

static void vu_reset(void *dev)
{
	vsock_dev_reset(dev);
}

static void vu_fini(void *dev)
{
	vsock_dev_fini(dev);
}

void vsock_dev_init(struct vsock_dev *dev, struct vu_device *vu)
{
	dev->v.connect = dev_connect;
	dev->task.run = dev_run;
	dev->tick.fire = dev_tick;
	*vu = (struct vu_device){
	    .dev = dev,
	    .vq = dev->vq,
	    .vq_count = VQ_COUNT,
	    .mem = &dev->mem,
	    .config = vu_config,
	    .kick_fd = vu_kick_fd,
	    .pause = vu_pause,
	    .work = vu_work,
	    .reset = vu_reset,
	    .fini = vu_fini,
	};
}

void vsock_dev_fini(struct vsock_dev *dev)
{
	dev->broken = true; /* a task that is still queued does nothing */
	for (unsigned i = 0; i < CONN_HASH; i++)
		while (dev->hash[i]) {
			dev->hash[i]->user_gone = true;
			conn_free(dev->hash[i]);
		}
	loop_timer_cancel(&dev->tick);
	for (int i = 0; i < VQ_COUNT; i++) {
		vsock_dev_kick_fd(dev, i, -1);
		if (dev->vq[i].call_fd >= 0)
			close(dev->vq[i].call_fd);
		dev->vq[i].call_fd = -1;
	}
	guest_mem_unmap(&dev->mem);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vhost-user messages; see vhost_user.h.
 *
 * QEMU is more to be trusted than the guest, but no more than needed: sizes,
 * ring numbers and addresses are checked, every descriptor that comes along
 * is either used or closed, and what is wrong ends the connection.
 */
#include "host/vhost_user.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/util.h"

enum vu_request {
	VU_GET_FEATURES = 1,
	VU_SET_FEATURES = 2,
	VU_SET_OWNER = 3,
	VU_RESET_OWNER = 4,
	VU_SET_MEM_TABLE = 5,
	VU_SET_VRING_NUM = 8,
	VU_SET_VRING_ADDR = 9,
	VU_SET_VRING_BASE = 10,
	VU_GET_VRING_BASE = 11,
	VU_SET_VRING_KICK = 12,
	VU_SET_VRING_CALL = 13,
	VU_SET_VRING_ERR = 14,
	VU_GET_PROTOCOL_FEATURES = 15,
	VU_SET_PROTOCOL_FEATURES = 16,
	VU_GET_QUEUE_NUM = 17,
	VU_SET_VRING_ENABLE = 18,
	VU_GET_CONFIG = 24,
	VU_SET_CONFIG = 25,
	VU_RESET_DEVICE = 34,
	VU_REQUESTS,
};

#define VU_VERSION      1u
#define VU_VERSION_MASK 3u
#define VU_REPLY        4u
#define VU_NEED_REPLY   8u
#define VU_VRING_INDEX  0xffu
#define VU_VRING_NO_FD  0x100u
#define VU_F_PROTOCOL   (1ull << 30)
#define VU_PROTOCOL_ACK (1ull << 3)
#define VU_PROTOCOL_OFFER                                                      \
	(1ull << 0 /* MQ */ | VU_PROTOCOL_ACK | VU_PROTOCOL_RESET)
#define VU_PROTOCOL_CONFIG (1ull << 9)
#define VU_PROTOCOL_RESET  (1ull << 13)
#define VU_OFFER                                                               \
	(1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_RING_F_EVENT_IDX |        \
	    1ull << VIRTIO_RING_F_INDIRECT_DESC | VU_F_PROTOCOL)

_Static_assert(
    offsetof(struct vu_msg, u) - offsetof(struct vu_msg, request) == VU_HEADER,
    "vhost-user message header");

static int vu_take_fd(struct vu_msg *msg)
{
	int fd = msg->fd_count ? msg->fds[0] : -1;

	if (msg->fd_count)
		msg->fds[0] = -1;
	return fd;
}

static struct vq *vu_ring(struct vhost_user *vu, uint32_t index)
{
	return index < vu->dev.vq_count ? &vu->dev.vq[index] : NULL;
}

static int vu_reply_u64(struct vu_msg *msg, uint64_t value)
{
	msg->u.u64 = value;
	msg->size = sizeof(msg->u.u64);
	return 1;
}

static int vu_set_features(struct vhost_user *vu, struct vu_msg *msg)
{
	if (msg->u.u64 & ~VU_OFFER)
		return -EINVAL;
	vu->features = msg->u.u64;
	for (unsigned i = 0; i < vu->dev.vq_count; i++) {
		struct vq *q = &vu->dev.vq[i];

		q->event_idx = vu->features >> VIRTIO_RING_F_EVENT_IDX & 1;
		if (!(vu->features & VU_F_PROTOCOL))
			q->enabled = true;
	}
	return 0;
}

static int vu_map_region(
    struct guest_region *r, const struct vu_region *from, int fd)
{
	struct stat st;

	if (from->size + from->offset < from->size || !from->size ||
	    from->gpa + from->size < from->gpa ||
	    from->uva + from->size < from->uva || from->offset & 4095)
		return -EINVAL;
	/* beyond the end of the file, touching it would be SIGBUS */
	if (fstat(fd, &st) || (uint64_t)st.st_size < from->offset + from->size)
		return -EINVAL;
	r->map_len = from->size;
	r->map = mmap(NULL, r->map_len, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_NORESERVE, fd, (off_t)from->offset);
	if (r->map == MAP_FAILED) {
		r->map = NULL;
		return -errno;
	}
	r->host = r->map;
	r->gpa = from->gpa;
	r->uva = from->uva;
	r->size = from->size;
	return 0;
}

static int vu_ring_start(struct vq *q)
{
	int ret = vq_map(q);

	q->running = !ret;
	return ret;
}

static int vu_set_mem_table(struct vhost_user *vu, struct vu_msg *msg)
{
	struct guest_mem *mem = vu->dev.mem;
	uint32_t count = msg->u.mem.count;
	bool was[VU_RINGS_MAX];

	if (count > GUEST_REGIONS || count != msg->fd_count ||
	    msg->size < 8 + count * sizeof(struct vu_region))
		return -EINVAL;
	vu->dev.pause(vu->dev.dev);
	for (unsigned i = 0; i < vu->dev.vq_count; i++) {
		was[i] = vu->dev.vq[i].running;
		vu->dev.vq[i].running = false; /* it is in the old memory */
	}
	guest_mem_unmap(mem);
	for (uint32_t i = 0; i < count; i++) {
		int ret = vu_map_region(
		    &mem->region[i], &msg->u.mem.region[i], msg->fds[i]);

		if (ret)
			return ret;
		mem->count = i + 1;
	}
	for (unsigned i = 0; i < vu->dev.vq_count; i++)
		if (was[i] && vu_ring_start(&vu->dev.vq[i]))
			return -EFAULT;
	vu->dev.work(vu->dev.dev);
	return 0;
}

static int vu_set_addr(struct vhost_user *vu, struct vu_msg *msg)
{
	struct vq *q = vu_ring(vu, msg->u.addr.index);
	int ret = 0;

	if (!q)
		return -EINVAL;
	vu->dev.pause(vu->dev.dev);
	q->uva_desc = msg->u.addr.desc;
	q->uva_avail = msg->u.addr.avail;
	q->uva_used = msg->u.addr.used;
	if (q->running)
		ret = vu_ring_start(q);
	vu->dev.work(vu->dev.dev);
	return ret;
}

static int vu_set_num(struct vhost_user *vu, struct vu_msg *msg)
{
	struct vq *q = vu_ring(vu, msg->u.ring.index);
	uint32_t n = msg->u.ring.value;

	if (!q || q->running || !n || n > 32768 || n & (n - 1))
		return -EINVAL;
	q->size = n;
	return 0;
}

static bool vu_any_runs(const struct vhost_user *vu)
{
	for (unsigned i = 0; i < vu->dev.vq_count; i++)
		if (vu->dev.vq[i].running)
			return true;
	return false;
}

/* A machine that was paused, as gdb does it, goes on with its rings where
 * they were; a driver that starts anew begins its own. */
static int vu_set_base(struct vhost_user *vu, struct vu_msg *msg)
{
	struct vq *q = vu_ring(vu, msg->u.ring.index);

	if (!q || q->running || msg->u.ring.value > UINT16_MAX)
		return -EINVAL;
	if (!vu_any_runs(vu) && msg->u.ring.value != q->next_avail)
		vu->dev.reset(vu->dev.dev);
	q->next_avail = (uint16_t)msg->u.ring.value;
	return 0;
}

/* Stops the ring: the driver has gone, or the machine pauses. */
static int vu_get_base(struct vhost_user *vu, struct vu_msg *msg)
{
	struct vq *q = vu_ring(vu, msg->u.ring.index);

	if (!q)
		return -EINVAL;
	vu->dev.kick_fd(vu->dev.dev, (int)msg->u.ring.index, -1);
	q->running = false;
	msg->u.ring.value = q->next_avail;
	msg->size = sizeof(msg->u.ring);
	return 1;
}

static int vu_set_kick(struct vhost_user *vu, struct vu_msg *msg)
{
	uint32_t index = msg->u.u64 & VU_VRING_INDEX;
	struct vq *q = vu_ring(vu, index);
	int fd = vu_take_fd(msg);

	if (!q || fd < 0 || msg->u.u64 & VU_VRING_NO_FD) {
		if (fd >= 0)
			close(fd);
		return -EINVAL; /* polling a ring is not offered */
	}
	vu->dev.kick_fd(vu->dev.dev, (int)index, fd);
	if (vu_ring_start(q))
		return -EFAULT;
	vu->dev.work(vu->dev.dev);
	return 0;
}

static int vu_set_call(struct vhost_user *vu, struct vu_msg *msg)
{
	struct vq *q = vu_ring(vu, msg->u.u64 & VU_VRING_INDEX);
	int fd = vu_take_fd(msg);

	if (!q) {
		if (fd >= 0)
			close(fd);
		return -EINVAL;
	}
	if (q->call_fd >= 0)
		close(q->call_fd);
	q->call_fd = fd;
	return 0;
}

static int vu_set_enable(struct vhost_user *vu, struct vu_msg *msg)
{
	struct vq *q = vu_ring(vu, msg->u.ring.index);

	if (!q)
		return -EINVAL;
	vu->dev.pause(vu->dev.dev);
	q->enabled = msg->u.ring.value != 0;
	vu->dev.work(vu->dev.dev);
	return 0;
}

static int vu_get_config(struct vhost_user *vu, struct vu_msg *msg)
{
	uint64_t config = 0;
	uint32_t offset = msg->u.config.offset, size = msg->u.config.size;

	if (size > sizeof(msg->u.config.data) || !vu->dev.config ||
	    offset > sizeof(config)) {
		msg->size = 0; /* how the protocol says no */
		return 1;
	}
	memset(msg->u.config.data, 0, size);
	config = vu->dev.config(vu->dev.dev);
	memcpy(msg->u.config.data, (uint8_t *)&config + offset,
	    MIN(size, sizeof(config) - offset));
	msg->size = 12 + size;
	return 1;
}

static int vu_reset(struct vhost_user *vu)
{
	for (unsigned i = 0; i < vu->dev.vq_count; i++) {
		vu->dev.kick_fd(vu->dev.dev, (int)i, -1);
		vu->dev.vq[i].running = vu->dev.vq[i].enabled = false;
	}
	vu->dev.reset(vu->dev.dev);
	return 0;
}

static int vu_get_features(struct vhost_user *vu, struct vu_msg *msg)
{
	(void)vu;
	return vu_reply_u64(msg, VU_OFFER);
}

static uint64_t vu_protocol_offer(const struct vhost_user *vu)
{
	return VU_PROTOCOL_OFFER | (vu->dev.config ? VU_PROTOCOL_CONFIG : 0);
}

static int vu_get_protocol(struct vhost_user *vu, struct vu_msg *msg)
{
	return vu_reply_u64(msg, vu_protocol_offer(vu));
}

static int vu_set_protocol(struct vhost_user *vu, struct vu_msg *msg)
{
	vu->protocol_features = msg->u.u64 & vu_protocol_offer(vu);
	return msg->u.u64 == vu->protocol_features ? 0 : -EINVAL;
}

static int vu_get_queue_num(struct vhost_user *vu, struct vu_msg *msg)
{
	return vu_reply_u64(msg, vu->dev.vq_count);
}

static int vu_nothing(struct vhost_user *vu, struct vu_msg *msg)
{
	(void)vu;
	(void)msg; /* SET_OWNER says nothing new, SET_VRING_ERR is unused */
	return 0;
}

static int vu_refuse(struct vhost_user *vu, struct vu_msg *msg)
{
	(void)vu;
	(void)msg; /* the configuration cannot be written */
	return -EPERM;
}

static int vu_do_reset(struct vhost_user *vu, struct vu_msg *msg)
{
	(void)msg;
	return vu_reset(vu);
}

static const struct {
	int (*serve)(struct vhost_user *vu, struct vu_msg *msg);
	uint32_t size; /* least payload */
} vu_requests[VU_REQUESTS] = {
    [VU_GET_FEATURES] = {vu_get_features, 0},
    [VU_SET_FEATURES] = {vu_set_features, 8},
    [VU_SET_OWNER] = {vu_nothing, 0},
    [VU_RESET_OWNER] = {vu_do_reset, 0},
    [VU_SET_MEM_TABLE] = {vu_set_mem_table, 8},
    [VU_SET_VRING_NUM] = {vu_set_num, 8},
    [VU_SET_VRING_ADDR] = {vu_set_addr, 40},
    [VU_SET_VRING_BASE] = {vu_set_base, 8},
    [VU_GET_VRING_BASE] = {vu_get_base, 8},
    [VU_SET_VRING_KICK] = {vu_set_kick, 8},
    [VU_SET_VRING_CALL] = {vu_set_call, 8},
    [VU_SET_VRING_ERR] = {vu_nothing, 8},
    [VU_GET_PROTOCOL_FEATURES] = {vu_get_protocol, 0},
    [VU_SET_PROTOCOL_FEATURES] = {vu_set_protocol, 8},
    [VU_GET_QUEUE_NUM] = {vu_get_queue_num, 0},
    [VU_SET_VRING_ENABLE] = {vu_set_enable, 8},
    [VU_GET_CONFIG] = {vu_get_config, 12},
    [VU_SET_CONFIG] = {vu_refuse, 12},
    [VU_RESET_DEVICE] = {vu_do_reset, 0},
};

static void vu_close_fds(struct vu_msg *msg)
{
	for (unsigned i = 0; i < msg->fd_count; i++)
		if (msg->fds[i] >= 0)
			close(msg->fds[i]);
	msg->fd_count = 0;
}

int vhost_user_message(struct vhost_user *vu, struct vu_msg *msg)
{
	bool ack = (msg->flags & VU_NEED_REPLY) &&
		   (vu->protocol_features & VU_PROTOCOL_ACK);
	int ret = -EPROTO;

	if ((msg->flags & VU_VERSION_MASK) == VU_VERSION &&
	    msg->request < VU_REQUESTS && vu_requests[msg->request].serve &&
	    msg->size >= vu_requests[msg->request].size)
		ret = vu_requests[msg->request].serve(vu, msg);
	vu_close_fds(msg);
	if (ret <= 0 && ack)
		ret = vu_reply_u64(msg, ret ? 1 : 0);
	if (ret > 0)
		msg->flags = VU_VERSION | VU_REPLY;
	return ret;
}

static void vu_hangup(struct vhost_user *vu)
{
	vu_reset(vu);
	loop_del(&vu->io);
	if (vu->on_hangup)
		vu->on_hangup(vu);
}

/* Take the descriptors that came along. */
static void vu_collect_fds(struct vu_msg *msg, struct msghdr *mh)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (msg->fd_count < VU_FDS_MAX)
				msg->fds[msg->fd_count++] = fd;
			else
				close(fd);
		}
	}
}

/* More bytes of vu->msg: 1, 0 if none are there yet, -errno. */
static int vu_read(struct vhost_user *vu, size_t want)
{
	union {
		char room[CMSG_SPACE(VU_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {
	    (char *)&vu->msg.request + vu->have, want - vu->have};
	struct msghdr mh = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	ssize_t got = recvmsg(vu->io.fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!got)
		return -ECONNRESET;
	vu_collect_fds(&vu->msg, &mh);
	vu->have += (size_t)got;
	return 1;
}

static int vu_reply(struct vhost_user *vu)
{
	size_t len = VU_HEADER + vu->msg.size;

	/* some tens of bytes, one at a time: they always fit */
	if (send(vu->io.fd, &vu->msg.request, len, MSG_NOSIGNAL) !=
	    (ssize_t)len)
		return -EIO;
	return 0;
}

static void vu_ready(struct loop_fd *io, uint32_t events)
{
	struct vhost_user *vu = container_of(io, struct vhost_user, io);
	size_t want = VU_HEADER;
	int ret;

	(void)events;
	for (;;) {
		if (vu->have >= VU_HEADER) {
			if (vu->msg.size > VU_PAYLOAD_MAX) {
				ret = -EMSGSIZE;
				break;
			}
			want = VU_HEADER + vu->msg.size;
		}
		if (vu->have < want) {
			ret = vu_read(vu, want);
			if (!ret)
				return;
			if (ret < 0)
				break;
			continue;
		}
		vu->have = 0;
		ret = vhost_user_message(vu, &vu->msg);
		if (ret > 0)
			ret = vu_reply(vu);
		if (ret < 0)
			break;
		vu->msg.fd_count = 0;
		want = VU_HEADER;
	}
	remark("vhost-user: %s (request %u)", strerror(-ret), vu->msg.request);
	vu_hangup(vu);
}

void vhost_user_init(struct vhost_user *vu, const struct vu_device *dev)
{
	vu->io.fd = -1;
	vu->dev = *dev;
	for (unsigned i = 0; i < dev->vq_count; i++) {
		dev->vq[i].mem = dev->mem;
		dev->vq[i].kick_fd = dev->vq[i].call_fd = -1;
	}
}

int vhost_user_start(struct vhost_user *vu, int fd)
{
	vu->io.fd = fd;
	vu->io.ready = vu_ready;
	return loop_add(&vu->io, EPOLLIN);
}

void vhost_user_stop(struct vhost_user *vu)
{
	loop_del(&vu->io);
	if (vu->io.fd >= 0)
		close(vu->io.fd);
	vu->io.fd = -1;
	vu_close_fds(&vu->msg);
	vu->dev.fini(vu->dev.dev);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vhost-user protocol, back-end's side, as QEMU's documentation
 * (docs/interop/vhost-user.rst) defines it: how a device that is not QEMU's
 * gets at the guest's memory and rings.  Which device it is, is behind struct
 * vu_device: the built-in vsock device, or a test's file server.
 */
#ifndef TORIL_HOST_VHOST_USER_H
#define TORIL_HOST_VHOST_USER_H

#include <stddef.h>
#include <stdint.h>

#include "host/loop.h"
#include "host/vq.h"

#define VU_PAYLOAD_MAX 512
#define VU_FDS_MAX     8
#define VU_RINGS_MAX   64

struct vu_region {
	uint64_t gpa, size, uva, offset;
};

struct vu_msg {
	uint32_t unused; /* so that the payload, after 12 bytes, is aligned */
	uint32_t request, flags, size;
	union {
		uint8_t bytes[VU_PAYLOAD_MAX];
		uint64_t u64;
		struct {
			uint32_t index, value;
		} ring;
		struct {
			uint32_t index, flags;
			uint64_t desc, used, avail, log;
		} addr;
		struct {
			uint32_t count, padding;
			struct vu_region region[GUEST_REGIONS];
		} mem;
		struct {
			uint32_t offset, size, flags;
			uint8_t data[256];
		} config;
	} u;
	int fds[VU_FDS_MAX]; /* taken ones are set to -1 */
	unsigned fd_count;
};

#define VU_HEADER (3 * sizeof(uint32_t))

/* A device: its rings and memory, and what it must hear of. */
struct vu_device {
	void *dev; /* passed to the functions */
	struct vq *vq;
	unsigned vq_count; /* VU_RINGS_MAX at most */
	struct guest_mem *mem;
	uint64_t (*config)(void *dev); /* configuration space, or NULL */

	/* Watch `fd`, which the device owns from now on, for kicks of a ring;
	 * with -1, leave that ring alone until there is another. */
	void (*kick_fd)(void *dev, int ring, int fd);
	void (*pause)(void *dev); /* leave all rings alone until... */
	void (*work)(void *dev);  /* ...here: look which rings run */
	void (*reset)(void *dev); /* the driver went away */
	void (*fini)(void *dev);
};

struct vhost_user {
	struct loop_fd io; /* connected to QEMU */
	struct vu_device dev;
	struct vu_msg msg; /* what has arrived of the next one */
	size_t have;
	uint64_t features, protocol_features;
	void (*on_hangup)(struct vhost_user *vu);
};

/* Serve the connected socket `fd`, and own it.  0 or -errno. */
int vhost_user_start(struct vhost_user *vu, int fd);

/* Serve one whole message, which becomes its own reply: 1 if that is to be
 * sent, 0 if not, -errno if the front-end broke the protocol. */
int vhost_user_message(struct vhost_user *vu, struct vu_msg *msg);

/* `dev`, which is copied, is used until vhost_user_stop(), which ends it. */
void vhost_user_init(struct vhost_user *vu, const struct vu_device *dev);
void vhost_user_stop(struct vhost_user *vu);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vhost-user protocol, back-end's side, as QEMU's documentation
 * (docs/interop/vhost-user.rst) defines it: how the built-in vsock device
 * gets at the guest's memory and rings.
 */
#ifndef TORIL_HOST_VHOST_USER_H
#define TORIL_HOST_VHOST_USER_H

#include <stddef.h>
#include <stdint.h>

#include "host/vsock_device.h"

#define VU_PAYLOAD_MAX 512
#define VU_FDS_MAX     8

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

struct vhost_user {
	struct loop_fd io; /* connected to QEMU */
	struct vsock_dev dev;
	struct vu_msg msg; /* what has arrived of the next one */
	size_t have;
	uint64_t features, protocol_features;
	void (*on_hangup)(struct vhost_user *vu);
};

/* The built-in device behind the connected socket `fd`, which it owns. */
int vhost_user_start(struct vhost_user *vu, int fd);

/* Serve one whole message, which becomes its own reply: 1 if that is to be
 * sent, 0 if not, -errno if the front-end broke the protocol. */
int vhost_user_message(struct vhost_user *vu, struct vu_msg *msg);

void vhost_user_init(struct vhost_user *vu);
void vhost_user_stop(struct vhost_user *vu);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio-vsock device (virtio 1.2, 5.10) that the launcher implements
 * itself: vsock_device.c moves packets between the rings and the
 * connections, vsock_conn.c is the state machine of one connection, and
 * vhost_user.c brings the rings.
 *
 * QEMU keeps the event queue to itself, so that there are two rings here.
 */
#ifndef TORIL_HOST_VSOCK_DEVICE_H
#define TORIL_HOST_VSOCK_DEVICE_H

#include <linux/virtio_vsock.h>
#include <stdbool.h>

#include "host/loop.h"
#include "host/util.h"
#include "host/vq.h"
#include "host/vsock.h"

#define VSOCK_HOST_CID  2u
#define CONN_WINDOW     (256u << 10) /* bytes the guest may have underway */
#define CONN_PACKET_MAX (64u << 10)
#define CONN_MAX        65536u /* connections at a time */
#define CONN_HASH       4096u
#define RESET_MAX       256u

enum { VQ_RX, VQ_TX, VQ_COUNT };

/* What a connection has yet to tell the guest. */
enum {
	TELL_REQUEST = 1,
	TELL_RESPONSE = 2,
	TELL_SHUTDOWN = 4,
	TELL_CREDIT = 8, /* our window */
	TELL_ASK = 16,   /* ask for the guest's */
	TELL_RESET = 32, /* the last thing, alone */
};

#define SHUT_BOTH (VIRTIO_VSOCK_SHUTDOWN_RCV | VIRTIO_VSOCK_SHUTDOWN_SEND)

struct conn {
	struct vsock_stream s;
	struct vsock_dev *dev;
	struct conn *hash_next;
	struct conn *prev, *next; /* on dev->work, or NULL */
	uint32_t guest_port, host_port;
	uint32_t peer_window, peer_taken,
	    sent;             /* guest's buffer; free-running */
	uint32_t taken, told; /* bytes we took; as told to the guest */
	struct buf kept;      /* what `out` could not take yet */
	uint64_t give_up;     /* while !open: when, in loop_now()'s time */
	uint8_t tell;         /* TELL_* */
	uint8_t guest_shut, our_shut; /* VIRTIO_VSOCK_SHUTDOWN_* */
	bool open;                    /* REQUEST was answered */
	bool in_ready, out_ready;
	bool out_ended; /* out_end() was called */
	bool discard;   /* `out` said -EPIPE */
	bool user_gone; /* `closed` was called, or aborted */
	bool wire_gone; /* reset in order: only `kept` is left to do;
			   conn_find() does not see it */
	bool hungry;    /* no window at the last tick */
};

struct vsock_dev {
	struct vsock v;
	struct guest_mem mem;
	struct vq vq[VQ_COUNT];
	struct loop_fd kick[VQ_COUNT];
	struct loop_task task;
	struct loop_timer tick;
	struct conn *hash[CONN_HASH];
	struct conn *work, *work_end; /* connections with something to do */
	unsigned conn_count;
	uint32_t last_port; /* of ours */
	struct {
		uint64_t guest_cid, host_cid;
		uint32_t guest_port, host_port;
		uint16_t type;
	} reset[RESET_MAX]; /* RSTs to send for packets nobody wants */
	unsigned reset_head, reset_count;
	bool broken;
	void (*on_broken)(struct vsock_dev *dev, const char *why);
	/* NULL, or is told of notifications and packets; see trace.h. */
	void (*observe)(
	    const char *what, int ring, const struct virtio_vsock_hdr *hdr);
	struct vq_chain chain; /* scratch */
};

/* vsock_device.c */
struct vu_device;
/* Fill in `vu` for vhost_user_init(), too. */
void vsock_dev_init(struct vsock_dev *dev, struct vu_device *vu);
void vsock_dev_work(struct vsock_dev *dev);  /* soon */
void vsock_dev_reset(struct vsock_dev *dev); /* the driver went away */
void vsock_dev_fini(struct vsock_dev *dev);  /* reset, unmap, close */
void vsock_dev_kick_fd(struct vsock_dev *dev, int ring, int fd);
void vsock_dev_break(struct vsock_dev *dev, const char *why);

/* One packet from the guest; `data` is what follows its header. */
void vsock_dev_packet(struct vsock_dev *dev, const struct virtio_vsock_hdr *hdr,
    const struct iovec *data, int n, size_t data_len);

/* vsock_conn.c */
struct conn *conn_find(struct vsock_dev *dev, uint32_t guest, uint32_t host);
struct conn *conn_new(struct vsock_dev *dev, uint32_t guest, uint32_t host);
void conn_free(struct conn *c);
void conn_queue(struct conn *c);
void conn_fail(struct conn *c, int err); /* reset both ends */
void conn_lost(struct conn *c, int err); /* the guest reset it; frees */
void conn_packet(struct conn *c, const struct virtio_vsock_hdr *hdr,
    const struct iovec *data, int n, size_t data_len);
void conn_tick(struct conn *c, uint64_t now);

/* Bring one connection forward by at most one packet, into `chain` if that
 * is not NULL.  Returns the bytes put there, header included, 0 if nothing
 * is to be sent, or -ENOBUFS where it needs a chain. */
int conn_step(struct conn *c, struct vq_chain *chain);

extern const struct vsock_carrier conn_carrier;

#endif

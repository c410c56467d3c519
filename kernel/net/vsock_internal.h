/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the vsock state machine share; nobody else's business. */
#ifndef TORIL_KERNEL_NET_VSOCK_INTERNAL_H
#define TORIL_KERNEL_NET_VSOCK_INTERNAL_H

#include "kernel/net/vsock.h"

#define SHUT_BOTH       (STREAM_SHUT_RECV | STREAM_SHUT_SEND)
#define VSOCK_STEP_TIME (10 * NSEC_PER_SEC) /* to connect, to pass a filter */

static_assert(STREAM_SHUT_RECV == VIRTIO_VSOCK_SHUTDOWN_RCV, "same bits");
static_assert(STREAM_SHUT_SEND == VIRTIO_VSOCK_SHUTDOWN_SEND, "same bits");

extern struct spinlock vsock_lock;
extern const struct vsock_transport *vsock_transport; /* [v] NULL: none */
extern uint64_t vsock_local_cid;                      /* [v] */
extern bool vsock_tx_full; /* [v] a sender found no space: wake all later */
extern struct vsock_listener *vsock_accepting; /* [v] whose hook is running */
extern struct waitq vsock_accepted;            /* it is not any more */
extern const struct stream_ops vsock_stream_ops;

/* Connections: created with two references, the user's and the table's. */
struct vsock_conn *vsock_conn_create(
    uint32_t local, uint64_t cid, uint32_t peer); /* NULL: no memory */
void vsock_conn_put(struct vsock_conn *c);
void vsock_table_add_locked(struct vsock_conn *c);
struct vsock_conn *vsock_find_locked(
    uint32_t local, uint64_t cid, uint32_t peer);
struct vsock_listener *vsock_listener_find_locked(uint32_t port);
void vsock_deadline_set_locked(struct vsock_conn *c, uint64_t deadline);

/* The connection is over, with an errno for the user.  True: the table's
 * reference has to be put once the lock is free, by vsock_finish. */
bool vsock_die_locked(struct vsock_conn *c, int error);
void vsock_finish(struct vsock_conn *c, bool put);

/* Let the filter of c, if it has one, look at what is there.  True: it is
 * done, or there is none.  One at a time: the user may close meanwhile. */
bool vsock_filter(struct vsock_conn *c);

/* Headers, with the credit that the peer is to know. */
void vsock_header_fill(struct virtio_vsock_hdr *h, uint64_t cid, uint32_t local,
    uint32_t peer, unsigned op);
void vsock_header_credit_locked(
    struct virtio_vsock_hdr *h, struct vsock_conn *c);

/* Control packets: at once or not at all; when there is space; and for a
 * packet that belongs to nothing.  vsock_flush after the last one. */
bool vsock_send_control_locked(struct vsock_conn *c, unsigned op);
void vsock_control_locked(struct vsock_conn *c, unsigned op);
void vsock_refuse_locked(const struct virtio_vsock_hdr *to);
void vsock_flush(void);

#endif

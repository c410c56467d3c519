/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stream connections over vsock: the state machine of virtio 1.2, 5.10.
 *
 * The transport (the virtio driver, or a test) calls vsock_input for every
 * packet that arrives, in one thread; this code calls the transport's send.
 * Addresses are (CID, port); the host is CID 2.  Packets from any other CID
 * are refused.
 *
 *	connect:  CONNECTING --response--> CONNECTED --> CLOSING --> gone
 *	request:  a listener's accept hook decides --> CONNECTED
 *
 * A connection is a struct stream for its user, who holds one reference;
 * the table of connections holds another until the peer knows of the end.
 */
#ifndef TORIL_KERNEL_NET_VSOCK_H
#define TORIL_KERNEL_NET_VSOCK_H

#include <linux/virtio_vsock.h>
#include "kernel/net/byteq.h"
#include "kernel/net/stream.h"

#define VSOCK_CID_HOST 2u
#define VSOCK_PORT_ANY UINT32_MAX

struct vsock_packet {
	struct page *page; /* holds the data (a reference), or NULL */
	uint32_t off;      /* where in it */
	uint32_t bytes;    /* the transport's own */
	struct virtio_vsock_hdr hdr;
	uint8_t data[];
};
struct vsock_packet *vsock_packet_create(size_t bytes); /* of data; or NULL */
void vsock_packet_free(struct vsock_packet *p);
static_assert(sizeof(struct virtio_vsock_hdr) == 44, "virtio 1.2, 5.10.6");

struct vsock_transport {
	/* Hand a packet to the device, which frees it when done.
	 * 0, -ENOSPC (vsock_tx_ready will be called), -EIO. */
	int (*send)(struct vsock_packet *p);
	/* A batch of sends is complete: notify the device. */
	void (*flush)(void);
	/* Have the receiving thread call vsock_run_timers.  Any context. */
	void (*wake)(void);
};

enum vsock_state {
	VSOCK_CONNECTING,
	VSOCK_CONNECTED,
	VSOCK_CLOSING, /* the user is gone; waiting for the peer's RST */
	VSOCK_DEAD,    /* reset, refused, or timed out */
};

struct vsock_listener;

/* Letters: [v] vsock_lock, [i] fixed at creation. */
struct vsock_conn {
	struct stream s;
	struct list hash_node;          /* [v] */
	struct list tx_node;            /* [v] has control packets to send */
	uint32_t refs;                  /* [a] */
	uint32_t local_port, peer_port; /* [i] */
	uint64_t peer_cid;              /* [i] */
	enum vsock_state state;         /* [v] */
	int error;                      /* [v] for the user, positive errno */
	unsigned shut_local, shut_peer; /* [v] STREAM_SHUT_* */
	unsigned tx_ops;                /* [v] bits: control packets to send */
	struct byteq rx;
	uint32_t buf_alloc;            /* [v] receive space that we promise */
	uint32_t fwd_cnt;              /* [v] bytes the user took, cumulative */
	uint32_t fwd_sent;             /* [v] of these, what the peer knows */
	uint32_t rx_cnt;               /* [v] bytes received, cumulative */
	uint32_t tx_cnt;               /* [v] bytes sent, cumulative */
	uint32_t peer_alloc, peer_fwd; /* [v] the peer's credit */
	uint64_t deadline;             /* [v] give up connecting or closing */
	/* Takes data before the user sees any: a protocol in front (PROXY,
	 * SOCKS).  Called in the receiving thread; returns true once done
	 * and is then taken off.  May set `error` and kill. */
	bool (*filter)(struct vsock_conn *c);
	struct vsock_listener *listener; /* [v] whose filter is not done yet */
	void *owner;                     /* the filter's */
};

/* Called in the receiving thread when a connection to the port is up (and
 * its filter is done): takes over the user's reference, or returns false to
 * have the peer refused. */
struct vsock_listener {
	struct list node; /* [v] */
	uint32_t port;
	bool (*accept)(struct vsock_listener *l, struct vsock_conn *c);
	/* Is there room for one more?  Asked before the response. */
	bool (*has_room)(struct vsock_listener *l);
	bool (*filter)(struct vsock_conn *c); /* or NULL */
	void *owner;
};

/* Connections there are. */
unsigned vsock_count(void);

void vsock_init(const struct vsock_transport *t, uint64_t cid);
uint64_t vsock_cid(void); /* 0: there is no device */

/* From the transport's thread.  The packet's header has been read into hdr;
 * the page holds hdr->len payload bytes at `off`.  With `may_keep` it may take
 * the page's reference over; returns true if it did. */
bool vsock_input(const struct virtio_vsock_hdr *hdr, struct page *page,
    unsigned off, bool may_keep);
#define VSOCK_KEEP_MIN 1024u /* smaller payloads are always copied */
void vsock_tx_ready(void);   /* space in the ring again */
void vsock_run_timers(void);
void vsock_transport_reset(void); /* the peer forgot all connections */
void vsock_transport_failed(void);

/* Start to listen; -EADDRINUSE. */
int vsock_listen(struct vsock_listener *l);
void vsock_unlisten(struct vsock_listener *l);

/* After vsock_unlisten: sleep until its accept hook does not run any more.
 * With no lock held that the hook takes. */
void vsock_listener_wait(struct vsock_listener *l);

/* Start to connect; the result shows in state and error, with s.wait woken.
 * filter and owner may be NULL.  NULL: -ENOMEM in *err, or no device. */
struct vsock_conn *vsock_connect(
    uint32_t port, bool (*filter)(struct vsock_conn *), void *owner, int *err);

/* For filters: send raw bytes (small), end the connection. */
void vsock_send_raw(struct vsock_conn *c, const void *data, size_t n);
void vsock_kill(struct vsock_conn *c, int error);

/* For filters and accept hooks: take n received bytes off, all there. */
void vsock_consume(struct vsock_conn *c, size_t n);

/* Is this stream one of ours? */
bool stream_is_vsock(const struct stream *s);

/* The pending error (positive errno) if the connection has failed, which
 * clears it. */
int vsock_take_error(struct vsock_conn *c);
bool vsock_is_connected(const struct vsock_conn *c);

void vsock_set_buffer(struct vsock_conn *c, uint32_t bytes);

static inline struct vsock_conn *vsock_of(struct stream *s)
{
	return container_of(s, struct vsock_conn, s);
}

#endif

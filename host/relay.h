/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vsock stream tied to a file descriptor of the host: bytes go both ways
 * (or one), each way's end is passed on, and neither side is read faster
 * than the other takes it.
 */
#ifndef TORIL_HOST_RELAY_H
#define TORIL_HOST_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/loop.h"
#include "host/vsock.h"

enum {
	RELAY_IN = 1,     /* read the descriptor, for the guest */
	RELAY_OUT = 2,    /* write to it */
	RELAY_SOCKET = 4, /* a stream socket: half-close, reset */
	RELAY_COUNT = 16, /* its bytes are those of relay_bytes */
	RELAY_BLOCKS = 8, /* it cannot be made non-blocking: poll first */
};

struct relay {
	struct loop_fd io; /* owned */
	struct vsock_stream *s;
	unsigned flags;
	uint8_t *head; /* goes to the guest first; owned */
	size_t head_len, head_at;
	bool readable, writable, hangup;
	bool in_end;        /* !RELAY_IN: the guest's half has ended */
	int out_error;      /* why the descriptor takes no more, or 0 */
	uint64_t out_bytes; /* written to it */
	/* The stream is gone (0 or -errno), the descriptor still open. */
	void (*done)(struct relay *r, int err);
};

extern struct relay_bytes {
	uint64_t in, out; /* to the guest, from it */
} relay_bytes;

/* Watch `fd`; the caller ties r->s, whose user is &relay_user or calls the
 * functions below. */
int relay_start(struct relay *r, int fd, unsigned flags);
void relay_head(struct relay *r, const void *data, size_t len);
void relay_stop(struct relay *r, bool reset); /* close the descriptor */

extern const struct vsock_user relay_user; /* s->arg is the relay */
ssize_t relay_in(struct vsock_stream *s, struct iovec *iov, int n);
ssize_t relay_out(struct vsock_stream *s, const struct iovec *iov, int n);
void relay_out_end(struct vsock_stream *s);
void relay_closed(struct vsock_stream *s, int err);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams between the launcher and its guest, whoever carries them: the
 * kernel's vhost-vsock (vsock_kernel.c) or the device that the launcher
 * implements itself (vsock_device.c).
 *
 * The carrier pulls: it calls `in` when the guest can take bytes, with the
 * guest's own buffers where it can, and `out` with bytes from the guest.  A
 * user that had to answer -EAGAIN calls vsock_in_ready() or vsock_out_ready()
 * when that changes.  These only queue the stream, so that no callback is
 * entered from within another.  Nothing is ever dropped: what `out` does not
 * take is kept, within the window that the guest was promised.
 */
#ifndef TORIL_HOST_VSOCK_H
#define TORIL_HOST_VSOCK_H

#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct vsock_stream;

/* What a user of a stream provides. */
struct vsock_user {
	/* The stream that vsock_connect() asked for is up. */
	void (*opened)(struct vsock_stream *s);

	/* Bytes for the guest: how many were put, 0 at the end of file,
	 * -EAGAIN, or another -errno, which resets the stream. */
	ssize_t (*in)(struct vsock_stream *s, struct iovec *iov, int n);

	/* Bytes from the guest: how many were taken, -EAGAIN, -EPIPE (take
	 * no more: the guest's next write fails), or another -errno, which
	 * resets the stream. */
	ssize_t (*out)(struct vsock_stream *s, const struct iovec *iov, int n);

	/* The guest sends nothing more; everything was passed to `out`. */
	void (*out_end)(struct vsock_stream *s);

	/* The stream is gone: 0 both ends are done, or -errno.  The last
	 * call; `s` is not to be used again. */
	void (*closed)(struct vsock_stream *s, int err);
};

struct vsock_carrier {
	void (*in_ready)(struct vsock_stream *s);
	void (*out_ready)(struct vsock_stream *s);
	void (*abort)(struct vsock_stream *s);
};

struct vsock_stream {
	const struct vsock_user *user; /* set by `accept` or vsock_connect */
	const struct vsock_carrier *carrier;
	void *arg; /* the user's */
};

struct vsock {
	uint32_t guest_cid;
	uint32_t control_port; /* the first of CTL_PORTS */

	/* The guest connects to control_port + role: set user and arg and
	 * return 0, or -errno to refuse. */
	int (*accept)(struct vsock *v, struct vsock_stream *s, unsigned role);

	/* The carrier: open a stream to `port`.  0 or -errno, else `opened`
	 * or `closed` follows. */
	int (*connect)(struct vsock *v, uint32_t port,
	    const struct vsock_user *user, void *arg,
	    struct vsock_stream **out);

	void (*stop)(struct vsock *v); /* free it; no callbacks */

	/* So far, of the guest's two queues, rx and tx: kicks by the guest,
	 * interrupts of it.  NULL: not known. */
	void (*notifications)(
	    struct vsock *v, uint64_t *kicks, uint64_t *calls);
};

static inline void vsock_in_ready(struct vsock_stream *s)
{
	s->carrier->in_ready(s);
}

static inline void vsock_out_ready(struct vsock_stream *s)
{
	s->carrier->out_ready(s);
}

/* Reset and forget: no callback follows.  Not from within a callback of the
 * same stream. */
static inline void vsock_abort(struct vsock_stream *s)
{
	s->carrier->abort(s);
}

#endif

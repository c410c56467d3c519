/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams: one end of a connection, whatever carries it (vsock, or memory
 * within the guest).  The operations never sleep for the peer; waiting is the
 * socket layer's, on `wait`, which is woken whenever an answer may change.
 */
#ifndef TORIL_KERNEL_NET_STREAM_H
#define TORIL_KERNEL_NET_STREAM_H

#include "kernel/mm/uaccess.h"
#include "kernel/sched/mutex.h"

struct stream;

#define STREAM_SHUT_RECV 1u
#define STREAM_SHUT_SEND 2u

struct stream_ops {
	/* Bytes taken, -EAGAIN, -EPIPE, -ECONNRESET, -EFAULT, ... */
	ssize_t (*send)(struct stream *s, struct iov_iter *it);
	/* Bytes, 0 at the end, -EAGAIN, -ECONNRESET, -EFAULT. */
	ssize_t (*recv)(struct stream *s, struct iov_iter *it, bool peek);
	unsigned (*poll)(struct stream *s); /* POLL_* */
	size_t (*pending)(struct stream *s);
	void (*shutdown)(struct stream *s, unsigned how); /* STREAM_SHUT_* */
	void (*close)(struct stream *s); /* the caller's reference goes */
};

struct stream {
	const struct stream_ops *ops;
	struct waitq wait;
	struct mutex send_lock, recv_lock; /* one caller at a time each */
	struct stream *next; /* its socket's: attempts that failed */
};

void stream_init(struct stream *s, const struct stream_ops *ops);

/* Two connected ends in memory.  0 or -ENOMEM. */
int local_pair(struct stream **a, struct stream **b);
/* Before close of such an end: the other one will see a reset. */
void local_reset(struct stream *s);

/* Send or receive everything or up to the end, sleeping as needed, for the
 * kernel's own use.  Bytes or -errno. */
ssize_t stream_send_all(struct stream *s, const void *buf, size_t n);
ssize_t stream_recv_all(struct stream *s, void *buf, size_t n);

#endif

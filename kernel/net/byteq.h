/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Byte queues: what pipes, local sockets and received vsock data wait in.
 *
 * A list of chunks.  Appending takes pages over where that saves a copy, and
 * fills the last chunk's free space where data is small, so that many small
 * pieces don't cost a chunk each.  There may be one reader and one writer at a
 * time, which don't wait for each other: callers serialise each side with a
 * lock of their own.
 */
#ifndef TORIL_KERNEL_NET_BYTEQ_H
#define TORIL_KERNEL_NET_BYTEQ_H

#include "kernel/lib/base.h"
#include "kernel/mm/page.h"
#include "kernel/mm/uaccess.h"

struct byteq {
	struct byteq_chunk *head;  /* [reader] NULL: first comes next */
	struct byteq_chunk *first; /* [writer, release] */
	struct byteq_chunk *tail;  /* [writer] */
	size_t in;                 /* [writer, release] bytes ever written */
	size_t out;                /* [reader, release] and read */
};

void byteq_init(struct byteq *q);
void byteq_destroy(struct byteq *q); /* drops what is left */

/* Bytes that can be read.  Others than the reader and the writer may get more
 * than there are at any moment. */
static inline size_t byteq_bytes(const struct byteq *q)
{
	size_t out = __atomic_load_n(&q->out, __ATOMIC_ACQUIRE);

	return __atomic_load_n(&q->in, __ATOMIC_ACQUIRE) - out;
}

/* Append n bytes of kernel memory; false when memory is short. */
bool byteq_append(struct byteq *q, const void *data, size_t n);

/* Append a part of a page, whose reference the queue takes over on success. */
bool byteq_append_page(
    struct byteq *q, struct page *p, unsigned off, unsigned n);

/* Append at most n bytes from the cursor.  Bytes, -EFAULT, -ENOMEM. */
ssize_t byteq_write(struct byteq *q, struct iov_iter *it, size_t n);

/* Move what there is to the cursor; with `peek` it stays.  Bytes (0: empty)
 * or -EFAULT. */
ssize_t byteq_read(struct byteq *q, struct iov_iter *it, bool peek);

/* Copy up to n bytes from the front without removing; how many. */
size_t byteq_peek(struct byteq *q, void *dst, size_t n);

/* Remove n bytes (all must be there). */
void byteq_drop(struct byteq *q, size_t n);

#endif

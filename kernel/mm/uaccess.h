/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program's memory, seen from a kernel call.
 *
 * A pointer that a program hands over may be wrong, or may be right and not
 * mapped yet.  These accessors take either: a bad pointer is -EFAULT.  They
 * may sleep (a page fault may read a file), so no spin lock may be held; by
 * rule no mutex that the fault path takes either.
 */
#ifndef TORIL_KERNEL_MM_UACCESS_H
#define TORIL_KERNEL_MM_UACCESS_H

#include <linux/uio.h>
#include "kernel/lib/base.h"

struct page;

/* 0 or -EFAULT.  On failure a part may have been copied. */
must_check int copy_in(void *dst, const void *user_src, size_t n);
must_check int copy_out(void *user_dst, const void *src, size_t n);
must_check int clear_out(void *user_dst, size_t n);

/* As far as it goes: bytes, or -EFAULT if that is none. */
ssize_t clear_out_part(void *user_dst, size_t n);

/* Copy a string of at most size - 1 bytes; its length, -EFAULT, or
 * -ENAMETOOLONG when it does not fit. */
must_check ssize_t copy_in_string(char *dst, const char *user, size_t size);

#define get_user(dst, uptr) copy_in(&(dst), (uptr), sizeof(dst))
#define put_user(uptr, val)                                                    \
	({                                                                     \
		__typeof__(*(uptr)) v_ = (val);                                \
		copy_out((uptr), &v_, sizeof(v_));                             \
	})

/*
 * A cursor over a program's (or the kernel's) buffers: what read and write
 * move data through.  iter_in copies from it, iter_out to it; both advance,
 * and return how many bytes were copied before the end or a bad address
 * (-EFAULT only if that was none).
 */
struct iov_iter {
	const struct iovec *iov; /* kernel copy of the array */
	unsigned nr;             /* entries left, the current one included */
	size_t skip;             /* bytes of the current one already used */
	size_t left;             /* bytes left in all */
	bool kernel;             /* buffers are kernel memory: no checks */
	bool pages;              /* each is in a page that may be referenced */
};

/* iov must outlive the cursor.  A single buffer needs one entry. */
void iter_init(
    struct iov_iter *it, const struct iovec *iov, unsigned nr, bool kernel);
ssize_t iter_in(void *dst, size_t n, struct iov_iter *it);
ssize_t iter_out(struct iov_iter *it, const void *src, size_t n);
ssize_t iter_clear(struct iov_iter *it, size_t n); /* writes zeros */
void iter_advance(struct iov_iter *it, size_t n);
/* Go back by n bytes that were advanced over; iov0 is the array's start. */
void iter_revert(struct iov_iter *it, const struct iovec *iov0, size_t n);

/*
 * A piece of physically contiguous memory, for devices.
 */
struct sg {
	uint64_t phys;
	uint32_t len;
};

/*
 * Pin the next bytes of the cursor for a device: fault the pages in (for
 * writing if `write`), take a reference on each, and describe at most
 * max_bytes of them in at most max_sg pieces.  Returns the bytes described
 * (0 at the end) and their number in *nr; does not advance.  -EFAULT if the
 * first byte can't be reached.  May sleep.
 */
ssize_t iter_pin(const struct iov_iter *it, bool write, size_t max_bytes,
    struct sg *sg, unsigned max_sg, unsigned *nr);
void iter_unpin(const struct sg *sg, unsigned nr);

/* Read an iovec array of a program: checks count and the sum of lengths
 * (cut to RW_MAX).  Uses `fast` if it fits, else allocates into *heap, which
 * the caller frees.  0, -EFAULT, -EINVAL, -ENOMEM. */
must_check int iovec_import(const struct iovec *user, unsigned long nr,
    struct iovec fast[8], struct iovec **heap, struct iov_iter *it);

#endif

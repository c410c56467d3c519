/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locks on ranges of files, fcntl(2): owned by the process or by an open
 * file.  Locks of one owner never conflict; a new one replaces what it
 * overlaps of the old ones.  All may sleep.
 */
#ifndef TORIL_KERNEL_FS_RECORD_LOCK_H
#define TORIL_KERNEL_FS_RECORD_LOCK_H

#include "kernel/lib/base.h"

struct file;
struct inode;

enum record_kind { RECORD_NONE, RECORD_SHARED, RECORD_EXCLUSIVE };

struct record {
	struct inode *inode;
	const struct file *owner; /* NULL: the process */
	uint64_t first, last;     /* bytes, inclusive; UINT64_MAX: to the end */
	enum record_kind kind;    /* RECORD_NONE: to be unlocked */
};

/* Set or drop through the open file f.  With `wait` until it can be had.
 * -EAGAIN, -ENOMEM, -ERESTARTSYS, or the file system's error. */
int record_lock_set(struct file *f, const struct record *r, bool wait);

/* 1 and the lock in the way, if there is one, else 0; -errno. */
int record_lock_test(
    struct file *f, const struct record *r, struct record *conflict);

/* A descriptor of f was closed (owner NULL), or the owner f goes. */
void record_lock_drop(struct file *f, const struct file *owner);

#endif

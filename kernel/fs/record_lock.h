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

/* Set or drop.  With `wait` until it can be had.  -EAGAIN, -ENOMEM,
 * -ERESTARTSYS. */
int record_lock_set(const struct record *r, bool wait);

/* True and the lock in the way, if there is one. */
bool record_lock_test(const struct record *r, struct record *conflict);

/* A descriptor of the inode was closed (owner NULL), or the owner goes. */
void record_lock_drop(struct inode *i, const struct file *owner);

#endif

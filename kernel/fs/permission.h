/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the process may do with files, path_resolution(7): by owner, group and
 * mode, as capabilities allow.  A share's server has its own say besides.
 * All may sleep (attributes may have to be asked for).
 */
#ifndef TORIL_KERNEL_FS_PERMISSION_H
#define TORIL_KERNEL_FS_PERMISSION_H

#include "kernel/lib/base.h"

struct inode;
struct setattr;

struct file;
struct iov_iter;

#define MAY_EXEC  1u /* of a directory: search */
#define MAY_WRITE 2u
#define MAY_READ  4u

/* 0 or -EACCES. */
int inode_may(struct inode *i, unsigned mask);

/* Remove or rename `victim` in dir: also the sticky bit's rule, -EPERM. */
int inode_may_remove(struct inode *dir, struct inode *victim);

/* Change attributes: -EPERM for who isn't the owner. */
int inode_may_set(struct inode *i, const struct setattr *s);

/* The mode that an inode made in dir with `mode` gets: who isn't in the
 * directory's group makes no set-group-id programs of it. */
uint32_t inode_new_mode(const struct inode *dir, uint32_t mode);

/* The mode that chmod(i, mode) gives. */
uint32_t inode_chmod_mode(const struct inode *i, uint32_t mode);

/* The mode that i keeps when its owner is set: no program of another's. */
uint32_t inode_chown_mode(const struct inode *i);

/* i's contents are about to be changed: take its set-id bits away, unless the
 * process may keep them.  What setattr gives. */
int inode_drop_set_id(struct inode *i);

/* f->ops->write() with that. */
ssize_t inode_write(struct file *f, struct iov_iter *it, uint64_t *pos);

#endif

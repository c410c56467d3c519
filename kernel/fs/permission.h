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

#define MAY_EXEC  1u /* of a directory: search */
#define MAY_WRITE 2u
#define MAY_READ  4u

/* 0 or -EACCES. */
int inode_may(struct inode *i, unsigned mask);

/* Remove or rename `victim` in dir: also the sticky bit's rule, -EPERM. */
int inode_may_remove(struct inode *dir, struct inode *victim);

/* Change attributes: -EPERM for who isn't the owner. */
int inode_may_set(struct inode *i, const struct setattr *s);

#endif

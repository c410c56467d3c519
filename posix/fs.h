/* SPDX-License-Identifier: BSD-2-Clause */
/* What the calls on files and names share. */
#ifndef TORIL_POSIX_FS_H
#define TORIL_POSIX_FS_H

#include "kernel/fs/path.h"

/* Open a path of kernel memory; mode has the umask applied. */
int fs_open(int dirfd, const char *path, unsigned flags, uint32_t mode,
    struct file **f);

/* A descriptor for f, whose reference is taken over; NULL is -ENOMEM. */
long fs_install(struct file *f, bool cloexec);

uint32_t fs_umask(void);

/* The file that a call with a path and AT_* flags means: AT_EMPTY_PATH and
 * AT_SYMLINK_NOFOLLOW are taken from at_flags.  With a reference. */
int fs_find(int dirfd, const char *user, int at_flags, struct dentry **d);

/* Make a socket file at a path of kernel memory: its inode, with a reference.
 * -EEXIST and what else making a file can give. */
int fs_make_socket(const char *path, struct inode **i);

static inline bool fs_writable(const struct file *f)
{
	return (f->flags & 3) != 0 && !(f->flags & 010000000);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inotify(7): events of files and directories that the program changes
 * itself.  What others do to a share on the host is not seen.
 *
 * The calls on files report what they did by fs_notify*(); that costs a load
 * while nobody watches.  All may sleep.
 */
#ifndef TORIL_KERNEL_FS_INOTIFY_H
#define TORIL_KERNEL_FS_INOTIFY_H

#include <linux/inotify.h>
#include "kernel/lib/base.h"

struct dentry;
struct file;
struct inode;
struct name;

extern uint32_t inotify_watches; /* [a] how many there are */

static inline __attribute__((always_inline)) bool fs_watched(void)
{
	return __atomic_load_n(&inotify_watches, __ATOMIC_RELAXED) != 0;
}

/* Use the functions below. */
void inotify_name(
    struct inode *dir, const struct name *n, uint32_t mask, uint32_t cookie);
void inotify_inode(struct inode *i, uint32_t mask);
void inotify_place(struct dentry *d, uint32_t mask);
void inotify_file(struct file *f, uint32_t mask);

/* Something happened to the name n in dir. */
static inline void fs_notify_name(
    struct inode *dir, const struct name *n, uint32_t mask, uint32_t cookie)
{
	if (fs_watched())
		inotify_name(dir, n, mask, cookie);
}

/* To an inode itself; with IN_DELETE_SELF its watches end. */
static inline void fs_notify_inode(struct inode *i, uint32_t mask)
{
	if (fs_watched())
		inotify_inode(i, mask);
}

/* To the inode of d, seen by who watches it or its directory. */
static inline void fs_notify(struct dentry *d, uint32_t mask)
{
	if (fs_watched())
		inotify_place(d, mask);
}

/* The same through an open file, which may have no place. */
static inline void fs_notify_file(struct file *f, uint32_t mask)
{
	if (fs_watched())
		inotify_file(f, mask);
}

/* A number that joins IN_MOVED_FROM and IN_MOVED_TO. */
uint32_t inotify_cookie(void);

/* A new instance; O_NONBLOCK may be in flags.  NULL when memory is short. */
struct file *inotify_create(unsigned flags);

/* Watch i; the watch descriptor, -EINVAL (not an instance), -EEXIST,
 * -ENOSPC (too many), -ENOMEM. */
int inotify_watch(struct file *f, struct inode *i, uint32_t mask);
int inotify_unwatch(struct file *f, int wd); /* 0 or -EINVAL */

#endif

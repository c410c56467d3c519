/* SPDX-License-Identifier: BSD-2-Clause */
/* inotify(7): entries to kernel/fs/inotify.c. */
#include <linux/fcntl.h>
#include "kernel/fs/inotify.h"
#include "posix/calls.h"
#include "posix/fs.h"

#define MASK_BITS                                                              \
	(IN_ALL_EVENTS | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK |        \
	    IN_MASK_CREATE | IN_MASK_ADD | IN_ONESHOT)

long kcall_inotify_init1(int flags)
{
	struct file *f;

	if (flags & ~(IN_CLOEXEC | IN_NONBLOCK))
		return -EINVAL;
	f = inotify_create((unsigned)flags & IN_NONBLOCK);
	return fs_install(f, flags & IN_CLOEXEC);
}

long kcall_inotify_init(void)
{
	return kcall_inotify_init1(0);
}

static long watch(struct file *f, const char *path, uint32_t mask)
{
	struct dentry *d;
	long r;

	r = fs_find(AT_FDCWD, path,
	    mask & IN_DONT_FOLLOW ? AT_SYMLINK_NOFOLLOW : 0, &d);
	if (r)
		return r;
	r = mask & IN_ONLYDIR && !INODE_IS_DIR(d->inode)
		? -ENOTDIR
		: inotify_watch(f, d->inode, mask);
	dentry_put(d);
	return r;
}

long kcall_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	struct file *f;
	long r;

	if (!(mask & IN_ALL_EVENTS) || mask & ~(uint32_t)MASK_BITS)
		return -EINVAL;
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	r = mask & IN_MASK_ADD && mask & IN_MASK_CREATE ? -EINVAL
							: watch(f, path, mask);
	file_put(f);
	return r;
}

long kcall_inotify_rm_watch(int fd, int wd)
{
	struct file *f = fd_get(fd);
	long r;

	if (!f)
		return -EBADF;
	r = inotify_unwatch(f, wd);
	file_put(f);
	return r;
}

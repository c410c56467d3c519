/* SPDX-License-Identifier: BSD-2-Clause */
/* Extended attributes. */
#include <linux/fcntl.h>
#include "kernel/fs/inotify.h"
#include "kernel/fs/path.h"
#include "kernel/mm/kmem.h"
#include "posix/calls.h"
#include "posix/fs.h"

#define VALUE_MAX 65536u
#define NAME_SIZE 256
#define NO_FD     -1000

/* Which file: by path, by path without following, or by descriptor. */
static long find(const char *path, bool follow, int fd, struct dentry **d)
{
	struct file *f;
	long r = -EBADF;

	if (path)
		return fs_find(
		    AT_FDCWD, path, follow ? 0 : AT_SYMLINK_NOFOLLOW, d);
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	if (!(f->flags & O_PATH))
		r = f->dentry ? 0 : -EOPNOTSUPP;
	if (!r) {
		*d = f->dentry;
		dentry_ref(*d);
	}
	file_put(f);
	return r;
}

static long call(struct dentry *d, struct xattr *x, char name[NAME_SIZE],
    const char *user_name, void *user_value)
{
	bool writes = x->op == XATTR_SET || x->op == XATTR_REMOVE;
	ssize_t n;

	if (x->op != XATTR_LIST) {
		n = copy_in_string(name, user_name, NAME_SIZE);
		if (n <= 0)
			return n == 0 || n == -ENAMETOOLONG ? -ERANGE : n;
		x->name = name;
	}
	if (x->op == XATTR_SET && x->size > VALUE_MAX)
		return -E2BIG;
	x->size = min(x->size, (size_t)VALUE_MAX);
	if (writes && d->fs->rdonly)
		return -EROFS;
	x->value = kzalloc(max(x->size, (size_t)1));
	if (!x->value)
		return -ENOMEM;
	n = 0;
	if (x->op == XATTR_SET)
		n = copy_in(x->value, user_value, x->size);
	if (!n)
		n = d->inode->ops->xattr(d->inode, x);
	if (n > 0 && x->size && !writes &&
	    copy_out(user_value, x->value, (size_t)n))
		n = -EFAULT;
	if (n >= 0 && writes)
		fs_notify(d, IN_ATTRIB);
	kfree(x->value);
	return n;
}

static long on(const char *path, bool follow, int fd, struct xattr x,
    const char *name, void *value)
{
	char buf[NAME_SIZE];
	struct dentry *d;
	long r;

	if (fd == NO_FD && !path)
		return -EFAULT;
	r = find(path, follow, fd, &d);
	if (r)
		return r;
	r = call(d, &x, buf, name, value);
	dentry_put(d);
	return r;
}

#define GET(n)    ((struct xattr){.op = XATTR_GET, .size = (n)})
#define LIST(n)   ((struct xattr){.op = XATTR_LIST, .size = (n)})
#define SET(n, f) ((struct xattr){.op = XATTR_SET, .size = (n), .flags = (f)})
#define REMOVE    ((struct xattr){.op = XATTR_REMOVE})

long kcall_setxattr(
    const char *path, const char *name, void *value, size_t n, int flags)
{
	return on(path, true, NO_FD, SET(n, flags), name, value);
}

long kcall_lsetxattr(
    const char *path, const char *name, void *value, size_t n, int flags)
{
	return on(path, false, NO_FD, SET(n, flags), name, value);
}

long kcall_fsetxattr(int fd, const char *name, void *value, size_t n, int flags)
{
	return on(NULL, true, fd, SET(n, flags), name, value);
}

long kcall_getxattr(const char *path, const char *name, void *value, size_t n)
{
	return on(path, true, NO_FD, GET(n), name, value);
}

long kcall_lgetxattr(const char *path, const char *name, void *value, size_t n)
{
	return on(path, false, NO_FD, GET(n), name, value);
}

long kcall_fgetxattr(int fd, const char *name, void *value, size_t n)
{
	return on(NULL, true, fd, GET(n), name, value);
}

long kcall_listxattr(const char *path, char *list, size_t n)
{
	return on(path, true, NO_FD, LIST(n), NULL, list);
}

long kcall_llistxattr(const char *path, char *list, size_t n)
{
	return on(path, false, NO_FD, LIST(n), NULL, list);
}

long kcall_flistxattr(int fd, char *list, size_t n)
{
	return on(NULL, true, fd, LIST(n), NULL, list);
}

long kcall_removexattr(const char *path, const char *name)
{
	return on(path, true, NO_FD, REMOVE, name, NULL);
}

long kcall_lremovexattr(const char *path, const char *name)
{
	return on(path, false, NO_FD, REMOVE, name, NULL);
}

long kcall_fremovexattr(int fd, const char *name)
{
	return on(NULL, true, fd, REMOVE, name, NULL);
}

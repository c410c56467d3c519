/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening files, and the process's place in the tree: cwd and umask. */
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include "kernel/fs/inotify.h"
#include "kernel/fs/path.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/pipe.h"
#include "kernel/lib/printk.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/creds.h"
#include "posix/calls.h"
#include "posix/fs.h"

#define PATH_FLAGS   (unsigned)(O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
#define CREATE_TRIES 8
#define OPEN_FLAGS                                                             \
	(unsigned)(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC |         \
		   O_APPEND | O_NONBLOCK | O_SYNC | O_DIRECT | O_LARGEFILE |   \
		   O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | \
		   O_TMPFILE)

static uint32_t umask = 022; /* [a] */

long fs_install(struct file *f, bool cloexec)
{
	long fd;

	if (!f)
		return -ENOMEM;
	fd = fd_install(f, 0, cloexec);
	if (fd < 0)
		file_put(f);
	return fd;
}

uint32_t fs_umask(void)
{
	return __atomic_load_n(&umask, __ATOMIC_RELAXED);
}

long kcall_umask(unsigned mask)
{
	return __atomic_exchange_n(&umask, mask & 0777, __ATOMIC_RELAXED);
}

static ssize_t path_rw(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	(void)f, (void)it, (void)pos;
	return -EBADF;
}

static int64_t path_seek(struct file *f, int64_t off, int whence)
{
	(void)f, (void)off, (void)whence;
	return -EBADF;
}

static int path_fsync(struct file *f, bool data_only)
{
	(void)f, (void)data_only;
	return -EBADF;
}

/* A file opened with O_PATH stands for a place only. */
static const struct file_ops path_ops = {
    .read = path_rw,
    .write = path_rw,
    .seek = path_seek,
    .poll = file_always_ready,
    .ioctl = file_no_ioctl,
    .stat = inode_file_stat,
    .mmap = file_no_mmap,
    .flush = file_no_flush,
    .fsync = path_fsync,
    .release = inode_file_release,
};

/* The permissions that opening with these flags needs. */
static unsigned wanted(unsigned flags)
{
	static const uint8_t by_mode[] = {
	    [O_RDONLY] = MAY_READ,
	    [O_WRONLY] = MAY_WRITE,
	    [O_RDWR] = MAY_READ | MAY_WRITE,
	};

	return by_mode[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

static int check_type(struct dentry *d, unsigned flags, bool slash)
{
	bool dir = INODE_IS_DIR(d->inode);
	bool change = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;

	if (!dir && (slash || flags & O_DIRECTORY))
		return -ENOTDIR;
	if (flags & O_PATH)
		return 0;
	if (dir && (change || flags & O_CREAT))
		return -EISDIR;
	if (change && d->fs->rdonly && (dir || INODE_IS_REG(d->inode)))
		return -EROFS;
	return inode_may(d->inode, wanted(flags));
}

static int open_existing(
    struct dentry *d, unsigned flags, bool slash, struct file **f)
{
	struct inode *i = d->inode;
	int err = check_type(d, flags, slash);

	if (err)
		return err;
	if (flags & O_PATH) {
		*f = inode_file(i, &path_ops, flags & PATH_FLAGS);
		err = *f ? 0 : -ENOMEM;
		if (!err)
			(*f)->seekable = true; /* so EBADF, not ESPIPE */
	} else if (inode_type(i) == S_IFSOCK) {
		err = -ENXIO;
	} else if (inode_type(i) == S_IFIFO) {
		err = fifo_open(i, flags, f);
	} else {
		err = flags & O_TRUNC ? inode_drop_set_id(i) : 0;
		if (!err)
			err = i->ops->open(i, flags, f);
	}
	if (!err && (*f)->inode == i && !(*f)->dentry) {
		dentry_ref(d);
		(*f)->dentry = d;
	}
	if (!err && !(flags & O_PATH)) {
		if (flags & O_TRUNC && INODE_IS_REG(i))
			fs_notify(d, IN_MODIFY);
		fs_notify(d, IN_OPEN);
	}
	return err;
}

static int create(struct walk *w, struct dentry *negative, unsigned flags,
    uint32_t mode, struct file **f)
{
	struct inode *dir = w->dir->inode;
	struct entry e;
	int err;

	if (w->dir->fs->rdonly)
		return -EROFS;
	err = inode_may(dir, MAY_WRITE | MAY_EXEC);
	if (err)
		return err;
	mode = inode_new_mode(dir, mode);
	MUTEX_GUARD(&dir->change_lock);
	err = dir->ops->create(dir, &w->last, mode, flags, &e, f);
	if (err == -EEXIST && !(flags & O_EXCL))
		err = -EAGAIN;
	if (err == -EAGAIN)
		dentry_forget(negative); /* somebody was faster: look again */
	if (err)
		return err;
	(*f)->dentry = dentry_add(w->dir, &w->last, &e);
	if ((*f)->dentry) {
		fs_notify_name(dir, &w->last, IN_CREATE, 0);
		fs_notify((*f)->dentry, IN_OPEN);
		return 0;
	}
	file_put(*f);
	return -ENOMEM;
}

/* One look at the last component; -ERESTART: it was a link, look again. */
static int open_last(
    struct walk *w, unsigned flags, uint32_t mode, struct file **f)
{
	struct dentry *d;
	int err;

	if (flags & O_CREAT && w->kind != LAST_NAME)
		return flags & O_EXCL ? -EEXIST : -EISDIR;
	if (flags & O_CREAT && w->slash)
		return -EISDIR;
	err = walk_last(w, &d);
	if (err)
		return err;
	if (!d->inode) {
		err = flags & O_CREAT ? create(w, d, flags, mode, f) : -ENOENT;
	} else if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
		err = -EEXIST;
	} else if (!INODE_IS_LINK(d->inode) ||
		   (flags & O_NOFOLLOW && flags & O_PATH && !w->slash)) {
		err = open_existing(d, flags, w->slash, f);
	} else if (flags & O_NOFOLLOW && !w->slash) {
		err = flags & O_DIRECTORY ? -ENOTDIR : -ELOOP;
	} else {
		/* walk_follow refuses what `resolve` forbids. */
		err = w->resolve ? -ENOENT : procfs_fd_open(d->inode, flags, f);
		if (err == -ENOENT)
			err = walk_follow(w, d);
		else
			err = err ? err : 1;
		err = err ? err : -ERESTARTSYS;
	}
	dentry_put(d);
	return err;
}

/* The file gets a place that no look-up finds: "#inode", deleted. */
static int place_nameless(struct dentry *dir, struct file *f)
{
	char text[24];
	struct name n = {text, 0};
	struct entry e = {f->inode, EXPIRY_NEVER};

	n.len = (unsigned)ksnprintf(text, sizeof(text), "#%llu",
	    (unsigned long long)f->inode->attr.ino);
	inode_ref(f->inode);
	f->dentry = dentry_add(dir, &n, &e);
	if (!f->dentry)
		return -ENOMEM;
	dentry_forget(f->dentry);
	return 0;
}

static int open_nameless(int dirfd, const char *path, unsigned flags,
    uint32_t mode, unsigned resolve, struct file **f)
{
	struct dentry *dir;
	int err;

	if ((flags & O_ACCMODE) == O_RDONLY || flags & O_CREAT)
		return -EINVAL;
	err = path_find_within(dirfd, path, 0, resolve, &dir);
	if (err)
		return err;
	if (!INODE_IS_DIR(dir->inode))
		err = -ENOTDIR;
	else if (dir->fs->rdonly)
		err = -EROFS;
	else
		err = inode_may(dir->inode, MAY_WRITE | MAY_EXEC);
	if (!err)
		err = dir->inode->ops->tmpfile(dir->inode, mode, flags, f);
	if (!err) {
		err = place_nameless(dir, *f);
		if (err)
			file_put(*f);
	}
	dentry_put(dir);
	return err;
}

static int open_within(int dirfd, const char *path, unsigned flags,
    uint32_t mode, unsigned resolve, struct file **f)
{
	struct walk w;
	int err, tries = 0;

	if ((flags & O_TMPFILE) == O_TMPFILE)
		return open_nameless(dirfd, path, flags, mode, resolve, f);
	if (flags & O_PATH)
		flags &= PATH_FLAGS;
	if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
		return -EINVAL;
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	err = walk_start_within(&w, dirfd, path, resolve);
	if (!err)
		err = walk_parent(&w);
	while (!err) {
		err = open_last(&w, flags, mode, f);
		if (err == -ERESTARTSYS ||
		    (err == -EAGAIN && ++tries < CREATE_TRIES))
			err = 0;
		else
			break;
	}
	walk_end(&w);
	return err > 0 ? 0 : err;
}

int fs_open(
    int dirfd, const char *path, unsigned flags, uint32_t mode, struct file **f)
{
	return open_within(dirfd, path, flags, mode, 0, f);
}

static long open_user(int dirfd, const char *user, unsigned flags,
    unsigned mode, unsigned resolve)
{
	struct path_buf b;
	struct file *f;
	long r = path_import(&b, user);

	if (r)
		return r;
	r = open_within(dirfd, b.s, flags & ~(unsigned)O_LARGEFILE,
	    mode & 07777 & ~fs_umask(), resolve, &f);
	path_free(&b);
	return r ? r : fs_install(f, flags & O_CLOEXEC);
}

long kcall_openat(int dirfd, const char *user, int flags, unsigned mode)
{
	return open_user(dirfd, user, (unsigned)flags, mode, 0);
}

/* Beyond what open() ignores, openat2() wants sense in everything. */
static long how_check(const struct open_how *how)
{
	bool makes =
	    how->flags & O_CREAT || (how->flags & O_TMPFILE) == O_TMPFILE;

	if (how->flags & ~(uint64_t)OPEN_FLAGS || how->resolve & ~0x3full ||
	    how->mode & ~07777ull || (how->mode && !makes))
		return -EINVAL;
	if (how->flags & O_PATH && how->flags & ~(uint64_t)PATH_FLAGS)
		return -EINVAL;
	if (how->resolve & RESOLVE_BENEATH && how->resolve & RESOLVE_IN_ROOT)
		return -EINVAL;
	/* What is cached is not told apart: the caller tries again without. */
	return how->resolve & RESOLVE_CACHED ? -EAGAIN : 0;
}

long kcall_openat2(
    int dirfd, const char *path, const struct open_how *user, size_t size)
{
	struct open_how how;
	char rest[64];
	long err;

	if (size < sizeof(how))
		return -EINVAL;
	if (size > sizeof(how) + sizeof(rest))
		return -E2BIG;
	if (copy_in(&how, user, sizeof(how)) ||
	    copy_in(rest, user + 1, size - sizeof(how)))
		return -EFAULT;
	for (size_t i = 0; i < size - sizeof(how); i++)
		if (rest[i])
			return -E2BIG;
	err = how_check(&how);
	return err ? err
		   : open_user(dirfd, path, (unsigned)how.flags,
			 (unsigned)how.mode, (unsigned)how.resolve);
}

long kcall_chroot(const char *user)
{
	struct dentry *d;
	int err = fs_find(AT_FDCWD, user, 0, &d);

	if (err)
		return err;
	err = INODE_IS_DIR(d->inode) ? inode_may(d->inode, MAY_EXEC) : -ENOTDIR;
	if (!err && !creds_capable(CAP_SYS_CHROOT))
		err = -EPERM;
	if (err)
		dentry_put(d);
	else
		path_set_root(d);
	return err;
}

long kcall_open(const char *path, int flags, unsigned mode)
{
	return kcall_openat(AT_FDCWD, path, flags, mode);
}

long kcall_creat(const char *path, unsigned mode)
{
	return kcall_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

long kcall_chdir(const char *user)
{
	struct path_buf b;
	long r = path_import(&b, user);

	if (r)
		return r;
	r = vfs_chdir(b.s);
	path_free(&b);
	return r;
}

long kcall_fchdir(int fd)
{
	struct file *f = fd_get(fd);
	long r = 0;

	if (!f)
		return -EBADF;
	if (!f->dentry || !INODE_IS_DIR(f->inode))
		r = -ENOTDIR;
	else
		r = inode_may(f->inode, MAY_EXEC);
	if (!r) {
		dentry_ref(f->dentry);
		path_set_cwd(f->dentry);
	}
	file_put(f);
	return r;
}

long kcall_getcwd(char *user, size_t size)
{
	char *buf = kmalloc(PATH_MAX);
	struct dentry *d = path_cwd();
	long r = -ENOMEM;

	if (buf && size)
		r = dentry_path(d, buf, min(size, (size_t)PATH_MAX));
	else if (buf)
		r = -ERANGE;
	if (r > 0 && copy_out(user, buf, (size_t)r))
		r = -EFAULT;
	dentry_put(d);
	kfree(buf);
	return r;
}

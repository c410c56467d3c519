/* SPDX-License-Identifier: BSD-2-Clause */
/* Changing what files are: mode, owner, size, times; and syncing them. */
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/time_types.h>
#include "kernel/fs/inotify.h"
#include "kernel/fs/path.h"
#include "kernel/fs/permission.h"
#include "posix/calls.h"
#include "posix/fs.h"

#define UTIME_NOW_  0x3fffffffl
#define UTIME_OMIT_ 0x3ffffffel
#define FALLOC_MODES                                                           \
	(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE |   \
	    FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE |                \
	    FALLOC_FL_UNSHARE_RANGE)

/* What inotify calls a change; times count as what sets them. */
static uint32_t event_of(const struct setattr *s)
{
	bool both = s->valid & SET_ATIME && s->valid & SET_MTIME;
	uint32_t mask = 0;

	if (s->valid & (SET_MODE | SET_UID | SET_GID) || both)
		mask |= IN_ATTRIB;
	else if (s->valid & SET_ATIME)
		mask |= IN_ACCESS;
	if (s->valid & SET_SIZE || (s->valid & SET_MTIME && !both))
		mask |= IN_MODIFY;
	return mask;
}

/* What setting the owner brings with it; of neither it is as of the same. */
static int complete_chown(struct inode *i, struct setattr *s)
{
	int err = i->ops->getattr(i, NULL);
	uint32_t mode = inode_chown_mode(i);

	if (!s->valid) {
		s->valid = SET_UID | SET_GID;
		s->uid = i->attr.uid;
		s->gid = i->attr.gid;
	}
	if (mode != (i->attr.mode & 07777)) {
		s->valid |= SET_MODE;
		s->mode = mode;
	}
	return err;
}

static int set_inode(struct inode *i, struct file *f, struct setattr *s)
{
	int err = 0;

	if (s->chown)
		err = complete_chown(i, s);
	else if (s->valid & SET_MODE)
		s->mode = inode_chmod_mode(i, s->mode);
	else if (s->valid & SET_SIZE)
		err = inode_drop_set_id(i);
	return err ? err : i->ops->setattr(i, f, s);
}

static long set_dentry(struct dentry *d, const struct setattr *user)
{
	struct setattr s = *user;
	int err;

	if (d->fs->rdonly)
		return -EROFS;
	if (!s.valid && !s.chown)
		return 0;
	err = inode_may_set(d->inode, &s);
	if (!err)
		err = set_inode(d->inode, NULL, &s);
	if (!err)
		fs_notify(d, event_of(&s));
	return err;
}

static long set_path(
    int dirfd, const char *path, int at_flags, const struct setattr *s)
{
	struct dentry *d;
	long r = fs_find(dirfd, path, at_flags, &d);

	if (r)
		return r;
	r = set_dentry(d, s);
	dentry_put(d);
	return r;
}

/* Through an open file; O_PATH ones don't do. */
static long set_fd(int fd, const struct setattr *s)
{
	struct file *f = fd_get(fd);
	long r;

	if (!f)
		return -EBADF;
	if (f->flags & O_PATH)
		r = -EBADF;
	else if (!f->inode || !f->dentry)
		r = -EPERM;
	else
		r = set_dentry(f->dentry, s);
	file_put(f);
	return r;
}

static struct setattr mode_of(unsigned mode)
{
	return (struct setattr){.valid = SET_MODE, .mode = mode & 07777};
}

long kcall_fchmodat(int dirfd, const char *path, unsigned mode)
{
	const struct setattr s = mode_of(mode);

	return set_path(dirfd, path, 0, &s);
}

long kcall_chmod(const char *path, unsigned mode)
{
	return kcall_fchmodat(AT_FDCWD, path, mode);
}

long kcall_fchmod(int fd, unsigned mode)
{
	const struct setattr s = mode_of(mode);

	return set_fd(fd, &s);
}

static struct setattr owner_of(unsigned uid, unsigned gid)
{
	return (struct setattr){
	    .valid = (uid + 1 ? SET_UID : 0u) | (gid + 1 ? SET_GID : 0u),
	    .uid = uid,
	    .gid = gid,
	    .chown = true,
	};
}

long kcall_fchownat(
    int dirfd, const char *path, unsigned uid, unsigned gid, int flags)
{
	const struct setattr s = owner_of(uid, gid);

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return set_path(dirfd, path, flags, &s);
}

long kcall_chown(const char *path, unsigned uid, unsigned gid)
{
	return kcall_fchownat(AT_FDCWD, path, uid, gid, 0);
}

long kcall_lchown(const char *path, unsigned uid, unsigned gid)
{
	return kcall_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

long kcall_fchown(int fd, unsigned uid, unsigned gid)
{
	const struct setattr s = owner_of(uid, gid);

	return set_fd(fd, &s);
}

long kcall_truncate(const char *path, int64_t size)
{
	const struct setattr s = {.valid = SET_SIZE, .size = (uint64_t)size};
	struct dentry *d;
	long r;

	if (size < 0)
		return -EINVAL;
	r = fs_find(AT_FDCWD, path, 0, &d);
	if (r)
		return r;
	if (INODE_IS_DIR(d->inode))
		r = -EISDIR;
	else if (!INODE_IS_REG(d->inode))
		r = -EINVAL;
	else
		r = set_dentry(d, &s);
	dentry_put(d);
	return r;
}

long kcall_ftruncate(int fd, int64_t size)
{
	struct setattr s = {.valid = SET_SIZE, .size = (uint64_t)size};
	struct file *f = fd_get(fd);
	long r = -EINVAL;

	if (!f)
		return -EBADF;
	if (f->flags & O_PATH)
		r = -EBADF;
	else if (size >= 0 && fs_writable(f) && f->inode &&
		 INODE_IS_REG(f->inode))
		r = set_inode(f->inode, f, &s);
	if (!r)
		fs_notify_file(f, IN_MODIFY);
	file_put(f);
	return r;
}

long kcall_fallocate(int fd, int mode, int64_t off, int64_t len)
{
	struct file *f = fd_get(fd);
	long r;

	if (!f)
		return -EBADF;
	if (off < 0 || len <= 0)
		r = -EINVAL;
	else if (mode & ~FALLOC_MODES ||
		 (mode & FALLOC_FL_PUNCH_HOLE && !(mode & FALLOC_FL_KEEP_SIZE)))
		r = -EOPNOTSUPP;
	else if (!fs_writable(f))
		r = -EBADF;
	else if (!f->inode)
		r = -ESPIPE;
	else if (!INODE_IS_REG(f->inode))
		r = INODE_IS_DIR(f->inode) ? -EISDIR : -ENODEV;
	else if (off > INT64_MAX - len)
		r = -EFBIG;
	else
		r = f->inode->ops->fallocate(
		    f, (unsigned)mode, (uint64_t)off, (uint64_t)len);
	if (!r)
		fs_notify_file(f, IN_MODIFY);
	file_put(f);
	return r;
}

/* One of a call's two times; which = SET_ATIME or SET_MTIME. */
static int take_time(struct setattr *s, uint32_t which, int64_t sec,
    int64_t nsec, struct stamp *to)
{
	if (nsec == UTIME_OMIT_)
		return 0;
	s->valid |= which;
	if (nsec == UTIME_NOW_)
		s->valid |= which << 3; /* SET_*_NOW */
	else if (nsec < 0 || nsec >= (int64_t)NSEC_PER_SEC)
		return -EINVAL;
	*to = (struct stamp){sec, (uint32_t)nsec};
	return 0;
}

static long set_times(
    int dirfd, const char *path, int flags, const struct setattr *s)
{
	if (path)
		return set_path(dirfd, path, flags, s);
	if (flags)
		return -EINVAL;
	return set_fd(dirfd, s);
}

static int both_times(struct setattr *s, const struct __kernel_timespec t[2])
{
	int err = take_time(s, SET_ATIME, t[0].tv_sec, t[0].tv_nsec, &s->atime);

	return err ? err
		   : take_time(
			 s, SET_MTIME, t[1].tv_sec, t[1].tv_nsec, &s->mtime);
}

long kcall_utimensat(int dirfd, const char *path,
    const struct __kernel_timespec *user, int flags)
{
	struct __kernel_timespec t[2] = {{0, UTIME_NOW_}, {0, UTIME_NOW_}};
	struct setattr s = {.valid = 0};

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (user && copy_in(t, user, sizeof(t)))
		return -EFAULT;
	if (both_times(&s, t))
		return -EINVAL;
	return s.valid ? set_times(dirfd, path, flags, &s) : 0;
}

struct timeval64 {
	int64_t sec, usec;
};

long kcall_futimesat(int dirfd, const char *path, const struct timeval64 *user)
{
	struct __kernel_timespec t[2] = {{0, UTIME_NOW_}, {0, UTIME_NOW_}};
	struct setattr s = {.valid = 0};
	struct timeval64 tv[2];

	if (user && copy_in(tv, user, sizeof(tv)))
		return -EFAULT;
	for (int i = 0; user && i < 2; i++) {
		if (tv[i].usec < 0 || tv[i].usec >= 1000000)
			return -EINVAL;
		t[i].tv_sec = tv[i].sec;
		t[i].tv_nsec = tv[i].usec * 1000;
	}
	if (both_times(&s, t))
		return -EINVAL;
	return set_times(dirfd, path, 0, &s);
}

long kcall_utimes(const char *path, const struct timeval64 *user)
{
	return path ? kcall_futimesat(AT_FDCWD, path, user) : -EFAULT;
}

long kcall_utime(const char *path, const int64_t *user)
{
	struct setattr s = {.valid = SET_ATIME | SET_MTIME};
	int64_t t[2];

	if (!user)
		return kcall_utimes(path, NULL);
	if (copy_in(t, user, sizeof(t)))
		return -EFAULT;
	s.atime.sec = t[0];
	s.mtime.sec = t[1];
	return set_path(AT_FDCWD, path, 0, &s);
}

long kcall_flock(int fd, int how)
{
	struct file *f;
	long r;

	switch (how & ~LOCK_NB) {
	case LOCK_SH:
	case LOCK_EX:
	case LOCK_UN:
		break;
	default:
		return -EINVAL;
	}
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	r = f->flags & O_PATH ? -EBADF : flock_set(f, how);
	file_put(f);
	return r;
}

static long sync_fd(int fd, bool data_only)
{
	struct file *f = fd_get(fd);
	long r;

	if (!f)
		return -EBADF;
	r = f->ops->fsync(f, data_only);
	file_put(f);
	return r;
}

long kcall_fsync(int fd)
{
	return sync_fd(fd, false);
}

long kcall_fdatasync(int fd)
{
	return sync_fd(fd, true);
}

long kcall_sync_file_range(int fd, int64_t off, int64_t n, unsigned flags)
{
	if (off < 0 || n < 0 || flags & ~7u)
		return -EINVAL;
	return sync_fd(fd, true);
}

long kcall_sync(void)
{
	struct fs *fs;

	vfs_sync_all();
	list_for_each (fs, &vfs_mounts, node)
		(void)fs->sync(fs);
	return 0;
}

long kcall_syncfs(int fd)
{
	struct file *f = fd_get(fd);
	long r = 0;

	if (!f)
		return -EBADF;
	if (f->flags & O_PATH) {
		r = -EBADF;
	} else if (f->dentry) {
		vfs_sync_all();
		r = f->dentry->fs->sync(f->dentry->fs);
	}
	file_put(f);
	return r;
}

/* Advice is taken note of and not needed. */
long kcall_fadvise64(int fd, int64_t off, int64_t len, int advice)
{
	struct file *f = fd_get(fd);
	long r = 0;

	(void)off;
	if (!f)
		return -EBADF;
	if (!f->inode)
		r = -ESPIPE;
	else if (len < 0 || advice < 0 || advice > 5)
		r = -EINVAL;
	file_put(f);
	return r;
}

long kcall_readahead(int fd, int64_t off, size_t n)
{
	struct file *f = fd_get(fd);
	long r = 0;

	(void)off, (void)n;
	if (!f || (f->flags & O_ACCMODE) == O_WRONLY || f->flags & O_PATH)
		r = -EBADF;
	else if (!f->inode || !INODE_IS_REG(f->inode))
		r = -EINVAL;
	if (f)
		file_put(f);
	return r;
}

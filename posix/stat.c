/* SPDX-License-Identifier: BSD-2-Clause */
/* What files are: stat and its kin, access, statfs. */
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include "kernel/lib/string.h"
#include "kernel/fs/permission.h"
#include "posix/calls.h"
#include "posix/fs.h"

#define FS_FD_LINK   0x100000 /* beside AT_*: PATH_FD_LINK */
#define PIPEFS_MAGIC 0x50495045
#define ST_RDONLY    1

int fs_find(int dirfd, const char *user, int at_flags, struct dentry **d)
{
	unsigned flags = at_flags & AT_SYMLINK_NOFOLLOW ? PATH_NOFOLLOW : 0;
	struct path_buf b;
	int err = path_import(&b, user);

	if (err)
		return err;
	if (at_flags & AT_EMPTY_PATH)
		flags |= PATH_EMPTY_OK;
	if (at_flags & FS_FD_LINK)
		flags |= PATH_FD_LINK;
	err = path_find(dirfd, b.s, flags, d);
	path_free(&b);
	return err;
}

static int stat_fd(int fd, struct stat *st)
{
	struct file *f = fd_get(fd);
	int err;

	if (!f)
		return -EBADF;
	err = f->ops->stat(f, st);
	file_put(f);
	return err;
}

static int stat_path(int dirfd, const char *user, int at_flags, struct stat *st)
{
	struct dentry *d;
	char c = 1;
	int err, fd;

	if (at_flags & AT_EMPTY_PATH && dirfd != AT_FDCWD &&
	    (!user || (!get_user(c, user) && !c)))
		return stat_fd(dirfd, st);
	if (!(at_flags & AT_SYMLINK_NOFOLLOW))
		at_flags |= FS_FD_LINK;
	err = fs_find(dirfd, user, at_flags, &d);
	if (err)
		return err;
	fd = at_flags & FS_FD_LINK ? procfs_fd(d->inode) : -1;
	err =
	    fd >= 0 ? stat_fd(fd, st) : d->inode->ops->getattr(d->inode, NULL);
	if (!err && fd < 0)
		attr_to_stat(d->inode, st);
	dentry_put(d);
	return err;
}

static long give_stat(int err, struct stat *user, const struct stat *st)
{
	if (!err && copy_out(user, st, sizeof(*st)))
		return -EFAULT;
	return err;
}

long kcall_newfstatat(int dirfd, const char *path, struct stat *user, int flags)
{
	struct stat st;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
		return -EINVAL;
	return give_stat(stat_path(dirfd, path, flags, &st), user, &st);
}

long kcall_stat(const char *path, struct stat *user)
{
	struct stat st;

	return give_stat(stat_path(AT_FDCWD, path, 0, &st), user, &st);
}

long kcall_lstat(const char *path, struct stat *user)
{
	struct stat st;

	return give_stat(
	    stat_path(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &st), user, &st);
}

long kcall_fstat(int fd, struct stat *user)
{
	struct stat st;

	return give_stat(stat_fd(fd, &st), user, &st);
}

static struct statx_timestamp time_of(unsigned long sec, unsigned long nsec)
{
	return (struct statx_timestamp){
	    .tv_sec = (long)sec, .tv_nsec = (uint32_t)nsec};
}

long kcall_statx(
    int dirfd, const char *path, int flags, unsigned mask, struct statx *user)
{
	struct statx x;
	struct stat st;
	int err;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT |
			AT_STATX_SYNC_TYPE) ||
	    mask & STATX__RESERVED)
		return -EINVAL;
	err = stat_path(dirfd, path, flags, &st);
	if (err)
		return err;
	memset(&x, 0, sizeof(x));
	x.stx_mask = STATX_BASIC_STATS;
	x.stx_blksize = (uint32_t)st.st_blksize;
	x.stx_nlink = (uint32_t)st.st_nlink;
	x.stx_uid = st.st_uid;
	x.stx_gid = st.st_gid;
	x.stx_mode = (uint16_t)st.st_mode;
	x.stx_ino = st.st_ino;
	x.stx_size = (uint64_t)st.st_size;
	x.stx_blocks = (uint64_t)st.st_blocks;
	x.stx_atime = time_of(st.st_atime, st.st_atime_nsec);
	x.stx_mtime = time_of(st.st_mtime, st.st_mtime_nsec);
	x.stx_ctime = time_of(st.st_ctime, st.st_ctime_nsec);
	x.stx_rdev_major = (uint32_t)st.st_rdev >> 8;
	x.stx_rdev_minor = st.st_rdev & 255;
	x.stx_dev_major = (uint32_t)st.st_dev >> 8;
	x.stx_dev_minor = st.st_dev & 255;
	return copy_out(user, &x, sizeof(x));
}

long kcall_faccessat2(int dirfd, const char *path, int mode, int flags)
{
	struct dentry *d;
	long r;

	if (mode & ~7 ||
	    flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	r = fs_find(dirfd, path, flags, &d);
	if (r)
		return r;
	if (mode & 2 && d->fs->rdonly &&
	    (INODE_IS_REG(d->inode) || INODE_IS_DIR(d->inode)))
		r = -EROFS;
	else if (mode)
		r = inode_may(d->inode, (unsigned)mode);
	if (mode && !r)
		r = d->inode->ops->access(d->inode, (unsigned)mode);
	dentry_put(d);
	return r;
}

long kcall_faccessat(int dirfd, const char *path, int mode)
{
	return kcall_faccessat2(dirfd, path, mode, 0);
}

long kcall_access(const char *path, int mode)
{
	return kcall_faccessat2(AT_FDCWD, path, mode, 0);
}

static long give_statfs(struct fs *fs, struct statfs *user)
{
	struct statfs st;
	long r = fs->statfs(fs, &st);

	if (r)
		return r;
	st.f_flags = 0x20 /* ST_VALID */ | (fs->rdonly ? ST_RDONLY : 0);
	return copy_out(user, &st, sizeof(st));
}

long kcall_statfs(const char *path, struct statfs *user)
{
	struct dentry *d;
	long r = fs_find(AT_FDCWD, path, 0, &d);

	if (r)
		return r;
	r = give_statfs(d->fs, user);
	dentry_put(d);
	return r;
}

long kcall_fstatfs(int fd, struct statfs *user)
{
	struct statfs st = {.f_type = PIPEFS_MAGIC,
	    .f_bsize = PAGE_SIZE,
	    .f_frsize = PAGE_SIZE,
	    .f_namelen = NAME_MAX};
	struct file *f = fd_get(fd);
	long r;

	if (!f)
		return -EBADF;
	if (f->dentry)
		r = give_statfs(f->dentry->fs, user);
	else
		r = copy_out(user, &st, sizeof(st));
	file_put(f);
	return r;
}

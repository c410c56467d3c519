/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading, writing and controlling open files. */
#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include <linux/uio.h>
#include "kernel/fs/file.h"
#include "kernel/fs/inotify.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/record_lock.h"
#include "kernel/fs/permission.h"
#include "kernel/mm/kmem.h"
#include "posix/calls.h"
#include "posix/lock.h"

#define SETFL_MASK        (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)
#define SEEK_SET_         0
#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_ALL      15u

static bool can_read(const struct file *f)
{
	return (f->flags & O_ACCMODE) != O_WRONLY && !(f->flags & O_PATH);
}

static bool can_write(const struct file *f)
{
	return (f->flags & O_ACCMODE) != O_RDONLY && !(f->flags & O_PATH);
}

/* Transfer at the file's own position, or without one. */
static ssize_t transfer(struct file *f, struct iov_iter *it, bool write)
{
	ssize_t r;

	if (!(write ? can_write(f) : can_read(f)))
		return -EBADF;
	if (!f->seekable)
		return write ? inode_write(f, it, &f->pos)
			     : f->ops->read(f, it, &f->pos);
	mutex_lock(&f->pos_lock);
	r = write ? inode_write(f, it, &f->pos) : f->ops->read(f, it, &f->pos);
	mutex_unlock(&f->pos_lock);
	if (r > 0)
		fs_notify_file(f, write ? IN_MODIFY : IN_ACCESS);
	return r;
}

static ssize_t transfer_at(
    struct file *f, struct iov_iter *it, uint64_t pos, bool write)
{
	ssize_t r;

	if (!(write ? can_write(f) : can_read(f)))
		return -EBADF;
	if (!f->seekable)
		return -ESPIPE;
	if ((int64_t)pos < 0)
		return -EINVAL;
	r = write ? inode_write(f, it, &pos) : f->ops->read(f, it, &pos);
	if (r > 0)
		fs_notify_file(f, write ? IN_MODIFY : IN_ACCESS);
	return r;
}

static ssize_t one_buffer(
    int fd, void *buf, size_t n, bool write, bool at, uint64_t pos)
{
	struct iovec iov = {buf, min(n, (size_t)RW_MAX)};
	struct file *f = fd_get(fd);
	struct iov_iter it;
	ssize_t r;

	if (!f)
		return -EBADF;
	iter_init(&it, &iov, 1, false);
	r = at ? transfer_at(f, &it, pos, write) : transfer(f, &it, write);
	file_put(f);
	return r;
}

/* Devices that need not be asked, unless there are watchers to tell. */
static long instant_read(unsigned instant, void *buf, size_t n)
{
	if (instant & FILE_EMPTY)
		return 0;
	return clear_out_part(buf, min(n, (size_t)RW_MAX));
}

long kcall_read(int fd, void *buf, size_t n)
{
	unsigned instant = fd_instant(fd) & (FILE_EMPTY | FILE_ZEROS);

	if (instant && !fs_watched())
		return instant_read(instant, buf, n);
	return one_buffer(fd, buf, n, false, false, 0);
}

long kcall_write(int fd, const void *buf, size_t n)
{
	if (fd_instant(fd) & FILE_TAKES && !fs_watched())
		return (long)min(n, (size_t)RW_MAX);
	return one_buffer(fd, (void *)(uintptr_t)buf, n, true, false, 0);
}

long kcall_pread64(int fd, void *buf, size_t n, uint64_t pos)
{
	return one_buffer(fd, buf, n, false, true, pos);
}

long kcall_pwrite64(int fd, const void *buf, size_t n, uint64_t pos)
{
	return one_buffer(fd, (void *)(uintptr_t)buf, n, true, true, pos);
}

static ssize_t vector(int fd, const struct iovec *user, unsigned long nr,
    bool write, bool at, uint64_t pos)
{
	struct file *f = fd_get(fd);
	struct iovec fast[8], *heap;
	struct iov_iter it;
	ssize_t r;

	if (!f)
		return -EBADF;
	r = iovec_import(user, nr, fast, &heap, &it);
	if (!r) {
		r = at ? transfer_at(f, &it, pos, write)
		       : transfer(f, &it, write);
		kfree(heap);
	}
	file_put(f);
	return r;
}

long kcall_readv(int fd, const struct iovec *iov, unsigned long nr)
{
	return vector(fd, iov, nr, false, false, 0);
}

long kcall_writev(int fd, const struct iovec *iov, unsigned long nr)
{
	return vector(fd, iov, nr, true, false, 0);
}

long kcall_preadv(
    int fd, const struct iovec *iov, unsigned long nr, uint64_t pos)
{
	return vector(fd, iov, nr, false, true, pos);
}

long kcall_pwritev(
    int fd, const struct iovec *iov, unsigned long nr, uint64_t pos)
{
	return vector(fd, iov, nr, true, true, pos);
}

/* The position -1 means the file's own; no RWF_* flag is offered. */
static ssize_t vector2(int fd, const struct iovec *iov, unsigned long nr,
    uint64_t pos, int flags, bool write)
{
	if (flags)
		return -EOPNOTSUPP;
	return vector(fd, iov, nr, write, pos != UINT64_MAX, pos);
}

long kcall_preadv2(int fd, const struct iovec *iov, unsigned long nr,
    uint64_t pos, unsigned long high, int flags)
{
	(void)high;
	return vector2(fd, iov, nr, pos, flags, false);
}

long kcall_pwritev2(int fd, const struct iovec *iov, unsigned long nr,
    uint64_t pos, unsigned long high, int flags)
{
	(void)high;
	return vector2(fd, iov, nr, pos, flags, true);
}

/* The program's buffers are copied; a pipe never refers to them. */
long kcall_vmsplice(
    int fd, const struct iovec *iov, unsigned long nr, unsigned flags)
{
	struct file *f = fd_get(fd);
	bool pipe, write;
	ssize_t r = 0;

	if (!f)
		return -EBADF;
	pipe = pipe_is(f);
	write = can_write(f);
	if (pipe && write && flags & SPLICE_F_NONBLOCK)
		r = min(pipe_room(f, true), (ssize_t)0);
	file_put(f);
	if (flags & ~SPLICE_F_ALL)
		return -EINVAL;
	if (!pipe)
		return -EBADF;
	return r ? r : vector(fd, iov, nr, write, false, 0);
}

long kcall_lseek(int fd, int64_t off, int whence)
{
	struct file *f = fd_get(fd);
	int64_t r;

	if (!f)
		return -EBADF;
	mutex_lock(&f->pos_lock);
	r = f->ops->seek(f, off, whence);
	mutex_unlock(&f->pos_lock);
	file_put(f);
	return r;
}

long kcall_close(int fd)
{
	return fd_close(fd);
}

long kcall_close_range(unsigned first, unsigned last, unsigned flags)
{
	int fd;

	if (flags & ~4u)
		return -EINVAL;
	if (!flags)
		return fd_close_range(first, last);
	for (fd = fd_next((int)first); fd >= 0 && (unsigned)fd <= last;
	     fd = fd_next(fd + 1))
		(void)fd_set_cloexec(fd, true);
	return first > last ? -EINVAL : 0;
}

static long dup_from(int fd, int low, bool cloexec)
{
	struct file *f;
	long r;

	f = fd_get(fd);
	if (!f)
		return -EBADF;
	if (low < 0 || (unsigned)low >= fd_limit) {
		file_put(f);
		return -EINVAL;
	}
	r = fd_install(f, low, cloexec);
	if (r < 0)
		file_put(f);
	return r;
}

long kcall_dup(int fd)
{
	return dup_from(fd, 0, false);
}

static long dup_to(int fd, int to, bool cloexec)
{
	struct file *f = fd_get(fd);
	long r;

	if (!f)
		return -EBADF;
	r = fd_replace(f, to, cloexec);
	if (r < 0)
		file_put(f);
	return r;
}

long kcall_dup2(int fd, int to)
{
	struct file *f;

	if (fd != to)
		return dup_to(fd, to, false);
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	file_put(f);
	return fd;
}

long kcall_dup3(int fd, int to, int flags)
{
	if (fd == to || flags & ~O_CLOEXEC)
		return -EINVAL;
	return dup_to(fd, to, flags & O_CLOEXEC);
}

static long fcntl_file(struct file *f, int fd, int cmd, unsigned long arg)
{
	switch (cmd) {
	case F_GETFL:
		return (long)(f->flags & ~(unsigned)O_CLOEXEC) |
		       (f->inode ? O_LARGEFILE : 0); /* set by open */
	case F_SETFL:
		f->flags = (f->flags & ~(unsigned)SETFL_MASK) |
			   ((unsigned)arg & SETFL_MASK);
		return 0;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_fcntl(f, fd, cmd, (void *)arg);
	case F_GETPIPE_SZ:
		return pipe_capacity(f);
	case F_SETPIPE_SZ:
		return pipe_set_capacity(f, arg);
	case F_GETOWN:
		return 0;
	}
	return -EINVAL;
}

/* The descriptor may have been closed while its lock was waited for, which
 * should have dropped it. */
static long lock_recheck(struct file *f, int fd)
{
	struct file *now = fd_get(fd);
	bool same = now == f;

	if (now)
		file_put(now);
	if (same)
		return 0;
	record_lock_drop(f, NULL);
	return -EBADF;
}

long kcall_fcntl(int fd, int cmd, unsigned long arg)
{
	struct file *f;
	long r;

	switch (cmd) {
	case F_DUPFD:
		return dup_from(fd, (int)arg, false);
	case F_DUPFD_CLOEXEC:
		return dup_from(fd, (int)arg, true);
	case F_GETFD:
		return fd_get_cloexec(fd);
	case F_SETFD:
		return fd_set_cloexec(fd, arg & FD_CLOEXEC);
	}
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	r = fcntl_file(f, fd, cmd, arg);
	if (!r && (cmd == F_SETLK || cmd == F_SETLKW))
		r = lock_recheck(f, fd);
	file_put(f);
	return r;
}

long kcall_ioctl(int fd, unsigned cmd, unsigned long arg)
{
	struct file *f = fd_get(fd);
	int on = 0;
	long r;

	if (!f)
		return -EBADF;
	if (cmd == FIONBIO) {
		r = get_user(on, (int *)arg);
		if (!r)
			f->flags = on ? f->flags | O_NONBLOCK
				      : f->flags & ~(unsigned)O_NONBLOCK;
	} else if (cmd == FIOCLEX || cmd == FIONCLEX) {
		r = fd_set_cloexec(fd, cmd == FIOCLEX);
	} else {
		r = f->ops->ioctl(f, cmd, arg);
	}
	file_put(f);
	return r;
}

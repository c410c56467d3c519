/* SPDX-License-Identifier: BSD-2-Clause */
/* What all inodes share: references, defaults of operations, attributes. */
#include <asm/stat.h>
#include <linux/fcntl.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/clock.h"

void inode_init(struct inode *i, const struct inode_ops *ops, struct fs *fs)
{
	i->ops = ops;
	i->fs = fs;
	i->refs = 1;
	spin_init(&i->lock);
	mutex_init(&i->change_lock);
}

void inode_ref(struct inode *i)
{
	__atomic_add_fetch(&i->refs, 1, __ATOMIC_RELAXED);
}

void inode_put(struct inode *i)
{
	assert(i->refs > 0);
	if (!__atomic_sub_fetch(&i->refs, 1, __ATOMIC_ACQ_REL))
		i->ops->release(i);
}

int inode_no_lookup(struct inode *d, const struct name *n, struct entry *e)
{
	(void)d, (void)n;
	*e = (struct entry){NULL, EXPIRY_NEVER};
	return 0;
}

int inode_no_create(struct inode *d, const struct name *n, uint32_t mode,
    unsigned flags, struct entry *e, struct file **f)
{
	(void)d, (void)n, (void)mode, (void)flags, (void)e, (void)f;
	return -EACCES;
}

int inode_no_tmpfile(
    struct inode *dir, uint32_t mode, unsigned flags, struct file **f)
{
	(void)dir, (void)mode, (void)flags, (void)f;
	return -EOPNOTSUPP;
}

int inode_no_make(struct inode *d, const struct name *n, const struct make *m,
    struct entry *e)
{
	(void)d, (void)n, (void)m, (void)e;
	return -EPERM;
}

int inode_no_link(
    struct inode *i, struct inode *d, const struct name *n, struct entry *e)
{
	(void)i, (void)d, (void)n, (void)e;
	return -EPERM;
}

int inode_no_remove(
    struct inode *d, const struct name *n, struct inode *victim, bool is_dir)
{
	(void)d, (void)n, (void)victim, (void)is_dir;
	return -EPERM;
}

int inode_no_rename(struct inode *from, const struct name *fn,
    struct inode *moved, struct inode *to, const struct name *tn,
    struct inode *victim, unsigned flags)
{
	(void)from, (void)fn, (void)moved, (void)to, (void)tn, (void)victim;
	(void)flags;
	return -EPERM;
}

int inode_no_readlink(struct inode *i, char *buf, size_t size)
{
	(void)i, (void)buf, (void)size;
	return -EINVAL;
}

int inode_static_getattr(struct inode *i, struct file *f)
{
	(void)i, (void)f;
	return 0;
}

int inode_no_setattr(struct inode *i, struct file *f, const struct setattr *s)
{
	(void)i, (void)f;
	return s->valid & SET_SIZE ? -EINVAL : -EPERM;
}

int inode_root_access(struct inode *i, unsigned mask)
{
	if (mask & 1 && !INODE_IS_DIR(i) && !(i->attr.mode & 0111))
		return -EACCES;
	return 0;
}

int inode_no_readdir(struct file *f, struct dir_emit *e)
{
	(void)f, (void)e;
	return -ENOTDIR;
}

int inode_no_pages(struct file *f, uint64_t index, unsigned n,
    struct page **pages, size_t *bytes)
{
	(void)f, (void)index, (void)n, (void)pages, (void)bytes;
	return -EINVAL;
}

int inode_no_fallocate(
    struct file *f, unsigned mode, uint64_t off, uint64_t len)
{
	(void)mode, (void)off, (void)len;
	return INODE_IS_DIR(f->inode) ? -EISDIR : -ENODEV;
}

ssize_t inode_no_copy_range(struct file *in, uint64_t in_off, struct file *out,
    uint64_t out_off, size_t len)
{
	(void)in, (void)in_off, (void)out, (void)out_off, (void)len;
	return -EXDEV;
}

void inode_no_mapped(struct inode *i, bool written)
{
	(void)i, (void)written;
}

int inode_no_lock(struct file *f, const struct record *r, bool wait)
{
	(void)f, (void)r, (void)wait;
	return -EOPNOTSUPP;
}

int inode_no_lock_test(
    struct file *f, const struct record *r, struct record *conflict)
{
	(void)f, (void)r, (void)conflict;
	return -EOPNOTSUPP;
}

void inode_no_unlock_all(struct file *f, const struct file *owner)
{
	(void)f, (void)owner;
}

ssize_t inode_no_xattr(struct inode *i, const struct xattr *x)
{
	(void)i, (void)x;
	return -EOPNOTSUPP;
}

struct stamp stamp_now(void)
{
	uint64_t ns = clock_realtime();

	return (struct stamp){
	    (int64_t)(ns / NSEC_PER_SEC), (uint32_t)(ns % NSEC_PER_SEC)};
}

void attr_to_stat(const struct inode *i, struct stat *st)
{
	struct spinlock *lock = (struct spinlock *)(uintptr_t)&i->lock;
	struct attr copy, *a = &copy;

	spin_lock(lock);
	copy = i->attr;
	spin_unlock(lock);
	memset(st, 0, sizeof(*st));
	st->st_dev = i->fs->dev;
	st->st_ino = a->ino;
	st->st_mode = a->mode;
	st->st_nlink = a->nlink;
	st->st_uid = a->uid;
	st->st_gid = a->gid;
	st->st_rdev = a->rdev;
	st->st_size = (long)a->size;
	st->st_blksize = a->blksize ? (long)a->blksize : (long)PAGE_SIZE;
	st->st_blocks = (long)a->blocks;
	st->st_atime = (unsigned long)a->atime.sec;
	st->st_atime_nsec = a->atime.nsec;
	st->st_mtime = (unsigned long)a->mtime.sec;
	st->st_mtime_nsec = a->mtime.nsec;
	st->st_ctime = (unsigned long)a->ctime.sec;
	st->st_ctime_nsec = a->ctime.nsec;
}

struct file *inode_file(
    struct inode *i, const struct file_ops *ops, unsigned flags)
{
	struct file *f =
	    file_alloc(ops, flags & ~(unsigned)(O_CREAT | O_EXCL | O_TRUNC |
						O_NOCTTY | O_CLOEXEC));

	if (!f)
		return NULL;
	inode_ref(i);
	f->inode = i;
	f->seekable = INODE_IS_REG(i) || INODE_IS_DIR(i);
	return f;
}

void inode_file_release(struct file *f)
{
	inode_put(f->inode);
	dentry_put(f->dentry);
}

int inode_file_stat(struct file *f, struct stat *st)
{
	int err = f->inode->ops->getattr(f->inode, f);

	if (!err)
		attr_to_stat(f->inode, st);
	return err;
}

/* SEEK_DATA and SEEK_HOLE as if there were no holes. */
int64_t seek_to(struct file *f, int64_t off, int whence, uint64_t size)
{
	int64_t base = 0, end = (int64_t)size;

	switch (whence) {
	case 0:
		break;
	case 1:
		base = (int64_t)f->pos;
		break;
	case 2:
		base = end;
		break;
	case 3:
	case 4:
		if (off < 0 || off >= end)
			return -ENXIO;
		off = whence == 3 ? off : end;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, off, &off))
		return -EOVERFLOW;
	if (off < 0)
		return -EINVAL;
	f->pos = (uint64_t)off;
	return off;
}

int64_t inode_file_seek(struct file *f, int64_t off, int whence)
{
	int err = 0;

	if (!f->seekable)
		return -ESPIPE;
	if (whence >= 2)
		err = f->inode->ops->getattr(f->inode, f);
	return err ? err : seek_to(f, off, whence, f->inode->attr.size);
}

ssize_t inode_dir_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	(void)f, (void)it, (void)pos;
	return -EISDIR;
}

int inode_null_fsync(struct file *f, bool data_only)
{
	(void)f, (void)data_only;
	return 0;
}

static const struct file_ops dir_ops = {
    .read = inode_dir_read,
    .write = file_no_write,
    .seek = inode_file_seek,
    .poll = file_always_ready,
    .ioctl = file_no_ioctl,
    .stat = inode_file_stat,
    .mmap = file_no_mmap,
    .flush = file_no_flush,
    .fsync = inode_null_fsync,
    .release = inode_file_release,
};

int inode_dir_open(struct inode *i, unsigned flags, struct file **f)
{
	*f = inode_file(i, &dir_ops, flags);
	return *f ? 0 : -ENOMEM;
}

int inode_dots_readdir(struct file *f, struct dir_emit *e)
{
	for (; f->pos < 2; f->pos++)
		if (!dir_emit(e, "..", (unsigned)f->pos + 1, f->inode->attr.ino,
			f->pos + 1, 4))
			break;
	return 0;
}

/* struct linux_dirent64's fixed part. */
struct dirent_head {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
} __attribute__((packed));

bool dir_emit(struct dir_emit *e, const char *name, unsigned len, uint64_t ino,
    uint64_t next, unsigned type)
{
	char buf[sizeof(struct dirent_head) + NAME_MAX + 8];
	unsigned size = sizeof(struct dirent_head) + len + 1;
	unsigned reclen = ALIGN_UP(size, 8u);
	struct dirent_head h = {
	    ino, (int64_t)next, (uint16_t)reclen, (uint8_t)type};

	if (reclen > e->left) {
		e->err = -EINVAL; /* if it is the first one */
		return false;
	}
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), name, len);
	memset(buf + size - 1, 0, reclen - size + 1);
	e->err = copy_out(e->user + e->done, buf, reclen);
	if (e->err)
		return false;
	e->done += reclen;
	e->left -= reclen;
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /dev: a fixed directory, and the character devices by number, which also
 * serve nodes that mknod made elsewhere.
 */
#include <asm/statfs.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/vm.h"

#define DEV(major, minor) ((uint64_t)(major) << 8 | (minor))

enum device {
	DEV_NULL = DEV(1, 3),
	DEV_ZERO = DEV(1, 5),
	DEV_FULL = DEV(1, 7),
	DEV_RANDOM = DEV(1, 8),
	DEV_URANDOM = DEV(1, 9),
	DEV_TTY = DEV(5, 0),
};

static const struct node {
	const char *name;
	uint64_t rdev;      /* or */
	const char *target; /* of a symbolic link */
} nodes[] = {
    {"null", DEV_NULL, NULL},
    {"zero", DEV_ZERO, NULL},
    {"full", DEV_FULL, NULL},
    {"random", DEV_RANDOM, NULL},
    {"urandom", DEV_URANDOM, NULL},
    {"tty", DEV_TTY, NULL},
    {"fd", 0, "/proc/self/fd"},
    {"stdin", 0, "/proc/self/fd/0"},
    {"stdout", 0, "/proc/self/fd/1"},
    {"stderr", 0, "/proc/self/fd/2"},
};

static struct file *tty; /* what /dev/tty is, with a reference */

static ssize_t null_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	(void)f, (void)it, (void)pos;
	return 0;
}

static ssize_t null_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	size_t n = it->left;

	(void)f, (void)pos;
	iter_advance(it, n);
	return (ssize_t)n;
}

static ssize_t full_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	(void)f, (void)pos;
	return it->left ? -ENOSPC : 0;
}

static ssize_t zero_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	(void)f, (void)pos;
	return iter_clear(it, it->left);
}

static ssize_t random_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	uint8_t buf[256];
	ssize_t done = 0, n = 0;

	(void)f, (void)pos;
	while (it->left) {
		size_t len = min(it->left, sizeof(buf));
		random_bytes(buf, len);
		n = iter_out(it, buf, len);
		if (n <= 0)
			break;
		done += n;
	}
	return done ? done : n;
}

static ssize_t random_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	uint64_t v = 0;

	(void)iter_in(&v, min(sizeof(v), it->left), it);
	random_mix(v);
	return (ssize_t)sizeof(v) + null_write(f, it, pos);
}

/* Memory without a file: /dev/zero. */
static int zero_mmap(struct file *f, struct vm_region *r)
{
	unsigned access = f->flags & O_ACCMODE;

	if (access == O_WRONLY ||
	    (access == O_RDONLY && r->flags & VM_SHARED && r->flags & VM_WRITE))
		return -EACCES;
	r->flags &= ~VM_SHARED; /* one process: nobody to share with */
	r->index = 0;
	return 0;
}

#define DEVICE_OPS(rd, wr, map)                                                \
	{                                                                      \
		.read = rd, .write = wr, .seek = file_noop_seek,               \
		.poll = file_always_ready, .ioctl = file_no_ioctl,             \
		.stat = inode_file_stat, .mmap = map, .flush = file_no_flush,  \
		.fsync = file_no_fsync, .release = inode_file_release,         \
	}

static const struct file_ops null_ops =
    DEVICE_OPS(null_read, null_write, file_no_mmap);
static const struct file_ops zero_ops =
    DEVICE_OPS(zero_read, null_write, zero_mmap);
static const struct file_ops full_ops =
    DEVICE_OPS(zero_read, full_write, zero_mmap);
static const struct file_ops random_ops =
    DEVICE_OPS(random_read, random_write, file_no_mmap);

void device_set_tty(struct file *f)
{
	if (tty)
		file_put(tty);
	file_ref(f);
	tty = f;
}

static int tty_open(struct file **f)
{
	if (!tty)
		return -ENXIO;
	file_ref(tty);
	*f = tty;
	return 0;
}

static uint8_t instant_kinds(unsigned flags, const struct file_ops *ops)
{
	unsigned kinds = ops->write == null_write ? FILE_TAKES : 0;

	if (ops->read == null_read)
		kinds |= FILE_EMPTY;
	if (ops->read == zero_read)
		kinds |= FILE_ZEROS;
	if ((flags & O_ACCMODE) == O_RDONLY)
		kinds &= ~FILE_TAKES;
	if ((flags & O_ACCMODE) == O_WRONLY)
		kinds &= FILE_TAKES;
	return (uint8_t)(flags & O_PATH ? 0 : kinds);
}

int device_open(struct inode *i, unsigned flags, struct file **f)
{
	const struct file_ops *ops;

	switch ((enum device)i->attr.rdev) {
	case DEV_NULL:
		ops = &null_ops;
		break;
	case DEV_ZERO:
		ops = &zero_ops;
		break;
	case DEV_FULL:
		ops = &full_ops;
		break;
	case DEV_RANDOM:
	case DEV_URANDOM:
		ops = &random_ops;
		break;
	case DEV_TTY:
		return tty_open(f);
	default:
		return -ENXIO;
	}
	*f = inode_file(i, ops, flags);
	if (!*f)
		return -ENOMEM;
	(*f)->seekable = true;
	(*f)->instant = instant_kinds((*f)->flags, ops);
	return 0;
}

/* The directory.  An inode's number is 2 + its place in `nodes`. */

static const struct inode_ops dev_ops;

static const struct node *node_of(const struct inode *i)
{
	return &nodes[i->attr.ino - 2];
}

static struct inode *dev_new(struct fs *fs, unsigned ino)
{
	struct inode *i = kzalloc(sizeof(*i));

	if (!i)
		return NULL;
	inode_init(i, &dev_ops, fs);
	i->attr_expiry = EXPIRY_NEVER;
	i->attr.ino = ino;
	i->attr.nlink = 1;
	i->attr.mode = 0040755;
	if (ino > 1) {
		i->attr.rdev = node_of(i)->rdev;
		i->attr.mode = node_of(i)->target ? 0120777 : 0020666;
	}
	i->attr.atime = i->attr.mtime = i->attr.ctime = stamp_now();
	return i;
}

static int dev_lookup(struct inode *dir, const struct name *n, struct entry *e)
{
	*e = (struct entry){NULL, EXPIRY_NEVER};
	for (unsigned i = 0; i < ARRAY_LEN(nodes); i++) {
		if (strlen(nodes[i].name) != n->len ||
		    memcmp(nodes[i].name, n->s, n->len))
			continue;
		e->inode = dev_new(dir->fs, i + 2);
		return e->inode ? 0 : -ENOMEM;
	}
	return 0;
}

static int dev_readdir(struct file *f, struct dir_emit *e)
{
	(void)inode_dots_readdir(f, e);
	for (; f->pos >= 2 && f->pos - 2 < ARRAY_LEN(nodes); f->pos++) {
		const struct node *n = &nodes[f->pos - 2];
		if (!dir_emit(e, n->name, (unsigned)strlen(n->name), f->pos,
			f->pos + 1, n->target ? 10 : 2))
			break;
	}
	return 0;
}

static int dev_readlink(struct inode *i, char *buf, size_t size)
{
	size_t n;

	if (!INODE_IS_LINK(i))
		return -EINVAL;
	n = min(size, strlen(node_of(i)->target));
	memcpy(buf, node_of(i)->target, n);
	return (int)n;
}

static int dev_open(struct inode *i, unsigned flags, struct file **f)
{
	return INODE_IS_DIR(i) ? inode_dir_open(i, flags, f)
			       : device_open(i, flags, f);
}

static int dev_setattr(struct inode *i, struct file *f, const struct setattr *s)
{
	(void)i, (void)f;
	return s->valid & SET_SIZE ? 0 : -EPERM; /* > /dev/null */
}

static void dev_release(struct inode *i)
{
	kfree(i);
}

static const struct inode_ops dev_ops = {
    .lookup = dev_lookup,
    .create = inode_no_create,
    .tmpfile = inode_no_tmpfile,
    .make = inode_no_make,
    .link = inode_no_link,
    .remove = inode_no_remove,
    .rename = inode_no_rename,
    .readlink = dev_readlink,
    .open = dev_open,
    .getattr = inode_static_getattr,
    .setattr = dev_setattr,
    .access = inode_root_access,
    .readdir = dev_readdir,
    .pages = inode_no_pages,
    .fallocate = inode_no_fallocate,
    .copy_range = inode_no_copy_range,
    .mapped = inode_no_mapped,
    .xattr = inode_no_xattr,
    .lock = inode_no_lock,
    .lock_test = inode_no_lock_test,
    .unlock_all = inode_no_unlock_all,
    .release = dev_release,
};

static int dev_statfs(struct fs *fs, struct statfs *st)
{
	memset(st, 0, sizeof(*st));
	st->f_type = 0x01021994;
	st->f_bsize = st->f_frsize = PAGE_SIZE;
	st->f_namelen = NAME_MAX;
	st->f_fsid.val[0] = (int)fs->dev;
	return 0;
}

static int dev_sync(struct fs *fs)
{
	(void)fs;
	return 0;
}

struct fs *devfs_create(void)
{
	struct fs *fs = fs_alloc("devtmpfs", "dev");

	if (!fs)
		return NULL;
	fs->statfs = dev_statfs;
	fs->sync = dev_sync;
	fs->top = dev_new(fs, 1);
	return fs->top ? fs : NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc; see procfs.h.  An inode's number is its row in the table plus one,
 * and FD_INO + N for /proc/self/fd/N, a link to what descriptor N stands for.
 */
#include <asm/statfs.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include "kernel/fs/path.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/procfs.h"
#include "kernel/lib/printk.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"

#define FD_INO 1000000

struct proc_text {
	char *s;
	size_t len, size;
	bool full;
};

void proc_add(struct proc_text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvsnprintf(t->s + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	if ((size_t)n >= t->size - t->len)
		t->full = true;
	else
		t->len += (size_t)n;
}

void proc_add_bytes(struct proc_text *t, const void *s, size_t n)
{
	if (n >= t->size - t->len) {
		t->full = true;
		return;
	}
	memcpy(t->s + t->len, s, n);
	t->len += n;
}

static const struct inode_ops proc_ops;

static bool is_fd(const struct inode *i)
{
	return i->ops == &proc_ops && i->attr.ino >= FD_INO;
}

static struct inode *proc_new(struct fs *fs, uint64_t ino)
{
	struct inode *i = kzalloc(sizeof(*i));

	if (!i)
		return NULL;
	inode_init(i, &proc_ops, fs);
	i->attr_expiry = EXPIRY_NEVER;
	i->attr.ino = ino;
	i->attr.nlink = 1;
	i->attr.mode = is_fd(i) ? 0120700 : proc_nodes[ino - 1].mode;
	i->attr.atime = i->attr.mtime = i->attr.ctime = stamp_now();
	return i;
}

static int parse_fd(const struct name *n)
{
	int fd = 0;

	for (unsigned i = 0; i < n->len; i++) {
		if (n->s[i] < '0' || n->s[i] > '9' || fd > 100000000)
			return -1;
		fd = fd * 10 + (n->s[i] - '0');
	}
	return fd;
}

static int lookup_fd(struct inode *dir, const struct name *n, struct entry *e)
{
	int fd = parse_fd(n);
	struct file *f = fd < 0 ? NULL : fd_get(fd);

	if (!f)
		return 0;
	file_put(f);
	e->inode = proc_new(dir->fs, (uint64_t)fd + FD_INO);
	return e->inode ? 0 : -ENOMEM;
}

static int proc_lookup(struct inode *dir, const struct name *n, struct entry *e)
{
	*e = (struct entry){NULL, 0};
	if (dir->attr.ino == proc_fd_row + 1)
		return lookup_fd(dir, n, e);
	for (unsigned i = 1; i < proc_nr_nodes; i++) {
		if (proc_nodes[i].parent + 1 != dir->attr.ino ||
		    strlen(proc_nodes[i].name) != n->len ||
		    memcmp(proc_nodes[i].name, n->s, n->len))
			continue;
		*e = (struct entry){proc_new(dir->fs, i + 1), EXPIRY_NEVER};
		return e->inode ? 0 : -ENOMEM;
	}
	return 0;
}

static int fd_path(int fd, char *buf, size_t size)
{
	struct file *f = fd_get(fd);
	int n;

	if (!f)
		return -ENOENT;
	n = f->dentry ? dentry_path(f->dentry, buf, size) : -ENOENT;
	if (n < 0)
		n = 1 + ksnprintf(buf, size,
			    f->dentry ? "(deleted)" : "anon:[%d]", fd);
	file_put(f);
	return n - 1;
}

static int proc_readlink(struct inode *i, char *buf, size_t size)
{
	if (!INODE_IS_LINK(i))
		return -EINVAL;
	if (is_fd(i))
		return fd_path((int)(i->attr.ino - FD_INO), buf, size);
	return proc_nodes[i->attr.ino - 1].target(buf, size);
}

int procfs_fd(const struct inode *i)
{
	return is_fd(i) ? (int)(i->attr.ino - FD_INO) : -1;
}

/* What open() by name would check. */
static int may_reopen(struct file *f, unsigned flags)
{
	bool write = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
	bool read = (flags & O_ACCMODE) != O_WRONLY;

	if (write && f->dentry->fs->rdonly)
		return -EROFS;
	return inode_may(
	    f->inode, (read ? MAY_READ : 0) | (write ? MAY_WRITE : 0));
}

int procfs_fd_open(struct inode *i, unsigned flags, struct file **f)
{
	struct file *old;
	int err = 0;

	if (procfs_fd(i) < 0)
		return -ENOENT;
	old = fd_get(procfs_fd(i));
	if (!old)
		return -ENXIO;
	if (old->inode && old->dentry && INODE_IS_REG(old->inode)) {
		err = may_reopen(old, flags);
		if (!err)
			err = old->inode->ops->open(old->inode, flags, f);
		if (!err) {
			dentry_ref(old->dentry);
			(*f)->dentry = old->dentry;
		}
		file_put(old);
	} else {
		*f = old;
	}
	return err;
}

static int emit_fds(struct file *f, struct dir_emit *e)
{
	char name[16];
	int fd;

	while (f->pos >= 2 && (fd = fd_next((int)f->pos - 2)) >= 0) {
		int n = ksnprintf(name, sizeof(name), "%d", fd);
		if (!dir_emit(e, name, (unsigned)n, (uint64_t)fd + FD_INO,
			(uint64_t)fd + 3, 10))
			break;
		f->pos = (uint64_t)fd + 3;
	}
	return 0;
}

static int proc_readdir(struct file *f, struct dir_emit *e)
{
	uint64_t dir = f->inode->attr.ino;

	(void)inode_dots_readdir(f, e);
	if (dir == proc_fd_row + 1)
		return emit_fds(f, e);
	for (; f->pos >= 2 && f->pos - 1 < proc_nr_nodes; f->pos++) {
		const struct proc_node *n = &proc_nodes[f->pos - 1];
		if (n->parent + 1 == dir &&
		    !dir_emit(e, n->name, (unsigned)strlen(n->name), f->pos,
			f->pos + 1, n->mode >> 12))
			break;
	}
	return 0;
}

static ssize_t proc_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct proc_text *t = f->priv;
	ssize_t n;

	if (*pos >= t->len)
		return 0;
	n = iter_out(it, t->s + *pos, min(it->left, t->len - *pos));
	if (n > 0)
		*pos += (uint64_t)n;
	return n;
}

static void proc_file_release(struct file *f)
{
	struct proc_text *t = f->priv;

	kfree(t->s);
	kfree(t);
	inode_file_release(f);
}

static const struct file_ops proc_file_ops = {
    .read = proc_read,
    .write = file_no_write,
    .seek = inode_file_seek,
    .poll = file_always_ready,
    .ioctl = file_no_ioctl,
    .stat = inode_file_stat,
    .mmap = file_no_mmap,
    .flush = file_no_flush,
    .fsync = file_no_fsync,
    .release = proc_file_release,
};

static struct proc_text *text_of(const struct proc_node *n)
{
	struct proc_text *t = kzalloc(sizeof(*t));

	for (size_t size = PAGE_SIZE; t && size <= MIB; size *= 2) {
		*t = (struct proc_text){.s = kmalloc(size), .size = size};
		if (!t->s)
			break;
		n->write(t);
		if (!t->full)
			return t;
		kfree(t->s);
	}
	kfree(t);
	return NULL;
}

static int proc_open(struct inode *i, unsigned flags, struct file **f)
{
	struct proc_text *t;

	if (INODE_IS_DIR(i))
		return inode_dir_open(i, flags, f);
	if (!INODE_IS_REG(i))
		return -ELOOP;
	if ((flags & O_ACCMODE) != O_RDONLY)
		return -EACCES;
	t = text_of(&proc_nodes[i->attr.ino - 1]);
	if (!t)
		return -ENOMEM;
	*f = inode_file(i, &proc_file_ops, flags);
	if (*f) {
		(*f)->priv = t;
		return 0;
	}
	kfree(t->s);
	kfree(t);
	return -ENOMEM;
}

static void proc_release(struct inode *i)
{
	kfree(i);
}

static const struct inode_ops proc_ops = {
    .lookup = proc_lookup,
    .create = inode_no_create,
    .tmpfile = inode_no_tmpfile,
    .make = inode_no_make,
    .link = inode_no_link,
    .remove = inode_no_remove,
    .rename = inode_no_rename,
    .readlink = proc_readlink,
    .open = proc_open,
    .getattr = inode_static_getattr,
    .setattr = inode_no_setattr,
    .access = inode_root_access,
    .readdir = proc_readdir,
    .pages = inode_no_pages,
    .fallocate = inode_no_fallocate,
    .copy_range = inode_no_copy_range,
    .mapped = inode_no_mapped,
    .xattr = inode_no_xattr,
    .lock = inode_no_lock,
    .lock_test = inode_no_lock_test,
    .unlock_all = inode_no_unlock_all,
    .release = proc_release,
};

static int proc_statfs(struct fs *fs, struct statfs *st)
{
	memset(st, 0, sizeof(*st));
	st->f_type = 0x9fa0;
	st->f_bsize = st->f_frsize = PAGE_SIZE;
	st->f_namelen = NAME_MAX;
	st->f_fsid.val[0] = (int)fs->dev;
	return 0;
}

static int proc_sync(struct fs *fs)
{
	(void)fs;
	return 0;
}

struct fs *procfs_create(void)
{
	struct fs *fs = fs_alloc("proc", "proc");

	if (!fs)
		return NULL;
	fs->statfs = proc_statfs;
	fs->sync = proc_sync;
	fs->top = proc_new(fs, 1);
	return fs->top ? fs : NULL;
}

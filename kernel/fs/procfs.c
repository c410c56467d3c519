/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small /proc: what programs commonly look at.
 *
 * Every file is a function that writes its text when the file is opened.
 * Directories and files are rows of one table; an inode's number is its row
 * plus one, and FD_INO + N for /proc/self/fd/N, which is a link to what
 * descriptor N stands for.
 */
#include <asm/statfs.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/uio.h>
#include "kernel/control/control.h"
#include "kernel/fs/path.h"
#include "kernel/lib/printk.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/vm.h"
#include "kernel/sched/clock.h"

#define FD_INO 1000000

struct text {
	char *s;
	size_t len, size;
	bool full;
};

static void text_add(struct text *t, const char *fmt, ...) printf_like(2, 3);
static void text_add(struct text *t, const char *fmt, ...)
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

static void write_meminfo(struct text *t)
{
	uint64_t total = page_total() / KIB, avail = page_available() / KIB;

	text_add(t,
	    "MemTotal:       %8llu kB\nMemFree:        %8llu kB\n"
	    "MemAvailable:   %8llu kB\nBuffers:               0 kB\n"
	    "Cached:                0 kB\nSwapTotal:             0 kB\n"
	    "SwapFree:              0 kB\n",
	    (unsigned long long)total, (unsigned long long)avail,
	    (unsigned long long)avail);
}

static void write_cpuinfo(struct text *t)
{
	text_add(t, "processor\t: 0\nvendor_id\t: Toril\n\n");
}

static void write_uptime(struct text *t)
{
	uint64_t cs = clock_monotonic() / (10 * NSEC_PER_MSEC);

	text_add(t, "%llu.%02llu 0.00\n", (unsigned long long)(cs / 100),
	    (unsigned long long)(cs % 100));
}

static void write_mounts(struct text *t)
{
	struct fs *fs;

	list_for_each (fs, &vfs_mounts, node)
		text_add(t, "%s %s %s %s 0 0\n", fs->source, fs->path, fs->type,
		    fs->rdonly ? "ro" : "rw");
}

static void write_maps(struct text *t)
{
	struct vm_region *r;

	MUTEX_GUARD(&vm_lock);
	for (r = vm_region_next(NULL); r; r = vm_region_next(r))
		text_add(t, "%08llx-%08llx %c%c%c%c %08llx 00:00 0%s\n",
		    (unsigned long long)r->start, (unsigned long long)r->end,
		    r->flags & VM_READ ? 'r' : '-',
		    r->flags & VM_WRITE ? 'w' : '-',
		    r->flags & VM_EXEC ? 'x' : '-',
		    r->flags & VM_SHARED ? 's' : 'p',
		    (unsigned long long)r->index << PAGE_SHIFT,
		    r->flags & VM_STACK ? " [stack]" : "");
}

static void write_cmdline(struct text *t)
{
	for (unsigned i = 0; i < control_config.argc; i++) {
		text_add(t, "%s", control_config.argv[i]);
		if (!t->full && t->len + 1 < t->size)
			t->s[t->len++] = 0;
		else
			t->full = true;
	}
}

enum row { ROW_ROOT, ROW_SELF, ROW_FD };

static const struct node {
	const char *name;
	enum row parent;
	uint32_t mode;
	void (*write)(struct text *t);
} nodes[] = {
    [ROW_ROOT] = {"", ROW_ROOT, 0040555, NULL},
    [ROW_SELF] = {"self", ROW_ROOT, 0040555, NULL},
    [ROW_FD] = {"fd", ROW_SELF, 0040500, NULL},
    {"exe", ROW_SELF, 0120777, NULL},
    {"cwd", ROW_SELF, 0120777, NULL},
    {"cmdline", ROW_SELF, 0100444, write_cmdline},
    {"maps", ROW_SELF, 0100444, write_maps},
    {"mounts", ROW_SELF, 0100444, write_mounts},
    {"mounts", ROW_ROOT, 0100444, write_mounts},
    {"meminfo", ROW_ROOT, 0100444, write_meminfo},
    {"cpuinfo", ROW_ROOT, 0100444, write_cpuinfo},
    {"uptime", ROW_ROOT, 0100444, write_uptime},
};

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
	i->attr.mode = is_fd(i) ? 0120700 : nodes[ino - 1].mode;
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
	if (dir->attr.ino == ROW_FD + 1)
		return lookup_fd(dir, n, e);
	for (unsigned i = 1; i < ARRAY_LEN(nodes); i++) {
		if (nodes[i].parent + 1 != dir->attr.ino ||
		    strlen(nodes[i].name) != n->len ||
		    memcmp(nodes[i].name, n->s, n->len))
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
	struct dentry *d;
	int n;

	if (!INODE_IS_LINK(i))
		return -EINVAL;
	if (is_fd(i))
		return fd_path((int)(i->attr.ino - FD_INO), buf, size);
	if (!strcmp(nodes[i->attr.ino - 1].name, "cwd")) {
		d = path_cwd();
		n = dentry_path(d, buf, size) - 1;
		dentry_put(d);
		return n;
	}
	if (!control_config.argc)
		return -ENOENT;
	n = (int)min(strlen(control_config.argv[0]), size);
	memcpy(buf, control_config.argv[0], (size_t)n);
	return n;
}

int procfs_fd(const struct inode *i)
{
	return is_fd(i) ? (int)(i->attr.ino - FD_INO) : -1;
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
	if (dir == ROW_FD + 1)
		return emit_fds(f, e);
	for (; f->pos >= 2 && f->pos - 1 < ARRAY_LEN(nodes); f->pos++) {
		const struct node *n = &nodes[f->pos - 1];
		if (n->parent + 1 == dir &&
		    !dir_emit(e, n->name, (unsigned)strlen(n->name), f->pos,
			f->pos + 1, n->mode >> 12))
			break;
	}
	return 0;
}

static ssize_t proc_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct text *t = f->priv;
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
	struct text *t = f->priv;

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

static struct text *text_of(const struct node *n)
{
	struct text *t = kzalloc(sizeof(*t));

	for (size_t size = PAGE_SIZE; t && size <= MIB; size *= 2) {
		*t = (struct text){.s = kmalloc(size), .size = size};
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
	struct text *t;

	if (INODE_IS_DIR(i))
		return inode_dir_open(i, flags, f);
	if (!INODE_IS_REG(i))
		return -ELOOP;
	if ((flags & O_ACCMODE) != O_RDONLY)
		return -EACCES;
	t = text_of(&nodes[i->attr.ino - 1]);
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
    .xattr = inode_no_xattr,
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
	fs->top = proc_new(fs, ROW_ROOT + 1);
	return fs->top ? fs : NULL;
}

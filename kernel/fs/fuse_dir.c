/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading directories of a FUSE server.
 *
 * One request fetches 32 KiB of entries, which several getdents calls then
 * use up.  The reply is checked as a whole when it arrives.  READDIRPLUS
 * brings the files' attributes along; it is used for the beginning of a
 * directory and as long as the names it brought are looked up.
 */
#include <linux/fcntl.h>
#include "kernel/fs/fuse.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"

#define BUF_ORDER 3
#define BUF_SIZE  (PAGE_SIZE << BUF_ORDER)

static_assert(sizeof(struct fuse_dirent) == 24, "protocol");

struct fuse_dirbuf {
	struct page *page;
	size_t len, at;
	uint64_t pos; /* the place in the directory of what is at `at` */
	bool plus;
};

void fuse_dirbuf_free(struct fuse_handle *h)
{
	if (!h->dirbuf)
		return;
	page_unref(h->dirbuf->page);
	kfree(h->dirbuf);
	h->dirbuf = NULL;
}

/* The entry at `at` and its size, or NULL if it isn't a valid one. */
static const struct fuse_dirent *entry_at(
    const struct fuse_dirbuf *b, size_t at, size_t *size)
{
	const char *p = (char *)page_to_virt(b->page) + at;
	size_t skip = b->plus ? sizeof(struct fuse_entry_out) : 0;
	const struct fuse_dirent *d = (const void *)(p + skip);

	if (b->len - at < skip + FUSE_NAME_OFFSET)
		return NULL;
	if (!d->namelen || d->namelen > NAME_MAX ||
	    d->namelen > b->len - at - skip - FUSE_NAME_OFFSET ||
	    memchr(d->name, '/', d->namelen) || memchr(d->name, 0, d->namelen))
		return NULL;
	*size = min(skip + FUSE_DIRENT_SIZE(d), b->len - at);
	return d;
}

static bool is_dots(const struct fuse_dirent *d)
{
	return d->name[0] == '.' &&
	       (d->namelen == 1 || (d->namelen == 2 && d->name[1] == '.'));
}

/* Enter what READDIRPLUS says about a name. */
static void prime(
    struct file *f, const struct fuse_dirent *d, uint64_t version, uint32_t gen)
{
	const struct fuse_entry_out *out =
	    (const void *)((const char *)d - sizeof(*out));
	struct name n = {d->name, d->namelen};
	struct entry e;

	if (is_dots(d) || !out->nodeid ||
	    fuse_entry(fuse_conn(f->inode), out, version, &e))
		return;
	if (!f->dentry || !e.expiry)
		inode_put(e.inode);
	else
		dentry_prime(f->dentry, &n, &e, gen);
}

/* Check all entries; cut the reply at the first bad one. */
static int check(
    struct file *f, struct fuse_dirbuf *b, uint64_t version, uint32_t gen)
{
	const struct fuse_dirent *d;
	size_t at, size;
	int err;

	for (at = 0; at < b->len; at += size) {
		d = entry_at(b, at, &size);
		if (!d)
			break;
		if (b->plus)
			prime(f, d, version, gen);
	}
	err = b->len && !at ? -EIO : 0;
	b->len = at;
	return err;
}

static bool want_plus(struct file *f)
{
	struct fuse_conn *c = fuse_conn(f->inode);
	struct fuse_inode *fi = fuse_inode(f->inode);
	bool advised = fi->advise_plus;

	if (!(c->flags & FUSE_DO_READDIRPLUS) ||
	    c->missing & 1ull << FUSE_READDIRPLUS)
		return false;
	fi->advise_plus = false;
	return advised || f->pos == 0 || !(c->flags & FUSE_READDIRPLUS_AUTO);
}

static ssize_t read_call(struct file *f, struct fuse_dirbuf *b)
{
	struct fuse_read_in in = {
	    .fh = fuse_handle(f)->fh,
	    .offset = f->pos,
	    .size = BUF_SIZE,
	    .flags = f->flags,
	};
	struct sg v[2];
	struct fuse_call call = {
	    .opcode = b->plus ? FUSE_READDIRPLUS : FUSE_READDIR,
	    .nodeid = fuse_nodeid(f->inode),
	    .in = {{&in, sizeof(in)}},
	    .sg = v + 1,
	    .nr_sg = 1,
	    .sg_in = true,
	};

	page_ref(b->page); /* the device's */
	v[1] = (struct sg){page_to_phys(b->page), BUF_SIZE};
	return fuse_call(fuse_conn(f->inode), &call);
}

/* Fetch what is at f->pos. */
static int refill(struct file *f, struct fuse_dirbuf *b)
{
	struct inode *dir = f->inode;
	uint32_t gen = __atomic_load_n(&dir->dir_gen, __ATOMIC_ACQUIRE);
	uint64_t version = fuse_version();
	ssize_t n;

	b->len = b->at = 0;
	b->pos = f->pos;
	b->plus = want_plus(f);
	n = read_call(f, b);
	if (n == -ENOSYS && b->plus) {
		b->plus = false;
		n = read_call(f, b);
	}
	if (n < 0)
		return (int)n;
	b->len = (size_t)n;
	return check(f, b, version, gen);
}

static struct fuse_dirbuf *dirbuf(struct fuse_handle *h)
{
	struct fuse_dirbuf *b = h->dirbuf;

	if (b)
		return b;
	b = kzalloc(sizeof(*b));
	if (!b)
		return NULL;
	b->page = page_alloc(BUF_ORDER, 0);
	if (!b->page) {
		kfree(b);
		return NULL;
	}
	h->dirbuf = b;
	return b;
}

int fuse_readdir(struct file *f, struct dir_emit *e)
{
	struct fuse_dirbuf *b = dirbuf(fuse_handle(f));
	const struct fuse_dirent *d;
	size_t size;
	int err;

	if (!b)
		return -ENOMEM;
	for (;;) {
		if (b->pos != f->pos || b->at >= b->len) {
			err = refill(f, b);
			if (err || !b->len)
				return err;
		}
		d = entry_at(b, b->at, &size);
		assert(d);
		if (!dir_emit(
			e, d->name, d->namelen, d->ino, d->off, d->type & 15))
			return 0;
		b->at += size;
		b->pos = f->pos = d->off;
	}
}

static int64_t fuse_dir_seek(struct file *f, int64_t off, int whence)
{
	if (whence == 0 && off >= 0) {
		fuse_dirbuf_free(fuse_handle(f)); /* rewinding looks anew */
		f->pos = (uint64_t)off;
		return off;
	}
	return inode_file_seek(f, off, whence);
}

static void fuse_dir_release(struct file *f)
{
	fuse_dirbuf_free(fuse_handle(f));
	fuse_file_release(f);
}

const struct file_ops fuse_dir_ops = {
    .read = inode_dir_read,
    .write = file_no_write,
    .seek = fuse_dir_seek,
    .poll = file_always_ready,
    .ioctl = file_no_ioctl,
    .stat = inode_file_stat,
    .mmap = file_no_mmap,
    .flush = file_no_flush,
    .fsync = fuse_fsync,
    .release = fuse_dir_release,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and writing files of a FUSE server.
 *
 * What is long goes straight between the server and the caller's own pages.
 * What is short is read through the page cache, some pages ahead where the
 * file is read in order; and written through it: the server first, then the
 * pages that are cached.  A short answer to a read is the end of the file.
 */
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/uio.h>
#include "kernel/fs/fuse.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/vm.h"

struct fuse_handle *fuse_handle(struct file *f)
{
	if (f->ops == &fuse_dir_ops || f->ops == &fuse_file_ops)
		return f->priv;
	return NULL;
}

static bool is_direct(struct file *f)
{
	return fuse_handle(f)->flags & FOPEN_DIRECT_IO;
}

/* Room for n pieces, and two before them; see fuse_call. */
static struct sg *sg_alloc(unsigned n)
{
	struct sg *v = kmalloc((n + 2) * sizeof(*v));

	return v ? v + 2 : NULL;
}

static void sg_free(struct sg *v)
{
	kfree(v - 2);
}

/* READ into the pieces; how many bytes came. */
static ssize_t read_call(
    struct file *f, uint64_t pos, size_t len, struct sg *v, unsigned nr)
{
	struct fuse_read_in in = {
	    .fh = fuse_handle(f)->fh,
	    .offset = pos,
	    .size = (uint32_t)len,
	    .flags = f->flags,
	};
	struct fuse_call call = {
	    .opcode = FUSE_READ,
	    .nodeid = fuse_nodeid(f->inode),
	    .in = {{&in, sizeof(in)}},
	    .sg = v,
	    .nr_sg = nr,
	    .sg_in = true,
	};

	return fuse_call(fuse_conn(f->inode), &call);
}

static ssize_t read_direct(
    struct file *f, struct iov_iter *it, uint64_t pos, size_t len, bool *eof)
{
	unsigned most = fuse_conn(f->inode)->max_pages, nr;
	struct sg *v;
	ssize_t n;

	len = min(len, most * PAGE_SIZE);
	most = (unsigned)min((uint64_t)most, page_count(len) + it->nr + 1);
	v = sg_alloc(most);
	if (!v)
		return -ENOMEM;
	n = iter_pin(it, true, len, v, most, &nr);
	if (n > 0) {
		len = (size_t)n;
		n = read_call(f, pos, len, v, nr);
		*eof = n < (ssize_t)len;
		if (n > 0)
			iter_advance(it, (size_t)n);
	} else if (n == -EFAULT && !fuse_getattr(f->inode, f) &&
		   pos >= f->inode->attr.size) {
		n = 0; /* nothing to be read: no matter where to */
		*eof = true;
	}
	sg_free(v);
	return n;
}

/* Allocate up to n pages, with a second reference for the device. */
static unsigned pages_alloc(struct page **pages, struct sg *v, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		pages[i] = page_alloc(0, 0);
		if (!pages[i])
			break;
		page_ref(pages[i]);
		v[i] = (struct sg){page_to_phys(pages[i]), PAGE_SIZE};
	}
	return i;
}

/* Enter *p; where there is a page already, perhaps a changed one, use that. */
static void keep_page(
    struct pagecache *pc, uint64_t index, struct page **p, uint32_t gen)
{
	struct page *old;

	(void)pagecache_add(pc, index, *p, gen);
	old = pagecache_get(pc, index);
	if (!old)
		return;
	page_unref(*p);
	*p = old;
}

/* Keep what was read: cleared beyond `got`, entered in the cache. */
static unsigned pages_keep(struct file *f, uint64_t index, struct page **pages,
    unsigned n, size_t got, uint32_t gen)
{
	struct inode *i = f->inode;
	unsigned full = (unsigned)page_count(got);

	for (unsigned k = full; k < n; k++)
		page_unref(pages[k]);
	if (got & ~PAGE_MASK)
		memset(
		    (char *)page_to_virt(pages[full - 1]) + (got & ~PAGE_MASK),
		    0, PAGE_SIZE - (got & ~PAGE_MASK));
	for (unsigned k = 0; !is_direct(f) && k < full; k++)
		keep_page(&i->cache, index + k, &pages[k], gen);
	return full;
}

/* Read pages from the server; their number, 0 at the end of the file. */
static int fill(struct file *f, uint64_t index, unsigned n, struct page **pages,
    size_t *bytes)
{
	struct inode *i = f->inode;
	uint32_t gen = pagecache_gen(&i->cache);
	uint64_t start = index << PAGE_SHIFT;
	struct sg *v;
	ssize_t got;

	n = min(n, fuse_conn(i)->max_pages);
	v = sg_alloc(n);
	if (!v)
		return -ENOMEM;
	n = pages_alloc(pages, v, n);
	got = n ? read_call(f, start, n * PAGE_SIZE, v, n) : -ENOMEM;
	sg_free(v);
	if (got <= 0) {
		for (unsigned k = 0; k < n; k++)
			page_unref(pages[k]);
		return (int)got;
	}
	if ((size_t)got < n * PAGE_SIZE && fuse_attr_valid(i) &&
	    i->attr.size > start + (uint64_t)got) {
		fuse_attr_stale(i); /* shorter than we were told */
		gen--;
	}
	*bytes = (size_t)got;
	return (int)pages_keep(f, index, pages, n, (size_t)got, gen);
}

/* The end of the file as far as known.  With pages cached it must be. */
static int known_size(struct file *f, uint64_t *size)
{
	struct inode *i = f->inode;
	int err = 0;

	*size = INT64_MAX;
	if (i->cache.nr)
		err = fuse_getattr(i, f);
	if (!err && (i->cache.nr || fuse_attr_valid(i)))
		*size = i->attr.size;
	return err;
}

int fuse_pages(struct file *f, uint64_t index, unsigned n, struct page **pages,
    size_t *bytes)
{
	struct inode *i = f->inode;
	uint64_t start = index << PAGE_SHIFT, size;
	unsigned got = 0;
	int err = known_size(f, &size);

	if (err || start >= size)
		return err;
	while (got < n && (pages[got] = pagecache_get(&i->cache, index + got)))
		got++;
	if (!got)
		return fill(f, index, n, pages, bytes);
	*bytes = min((uint64_t)got << PAGE_SHIFT, size - start);
	return (int)got;
}

/* How many pages to read for `left` bytes from pos on. */
static unsigned cluster(
    struct inode *i, uint64_t pos, size_t left, uint64_t size)
{
	uint64_t index = pos >> PAGE_SHIFT;
	uint64_t n = page_count((pos & ~PAGE_MASK) + left);
	struct page *before =
	    index ? pagecache_get(&i->cache, index - 1) : NULL;

	if (!index || before)
		n = FUSE_CLUSTER;
	if (before)
		page_unref(before);
	return (unsigned)min(min(n, (uint64_t)FUSE_CLUSTER),
	    max(page_count(size) - index, (uint64_t)1));
}

static ssize_t read_cached(struct file *f, struct iov_iter *it, uint64_t pos,
    size_t len, uint64_t size, bool *eof)
{
	struct page *pages[FUSE_CLUSTER];
	size_t off = pos & ~PAGE_MASK, bytes, done = 0;
	int n = fuse_pages(f, pos >> PAGE_SHIFT,
	    cluster(f->inode, pos, len, size), pages, &bytes);
	ssize_t r = 0;

	*eof = n == 0 || (n > 0 && bytes <= off);
	if (n <= 0)
		return n;
	if (!*eof)
		len = min(len, bytes - off);
	for (int k = 0; k < n; k++) {
		size_t part = min(PAGE_SIZE - off, len - done);
		if (!*eof && r >= 0 && part) {
			r = iter_out(
			    it, (char *)page_to_virt(pages[k]) + off, part);
			done += r > 0 ? (size_t)r : 0;
			off = 0;
		}
		page_unref(pages[k]);
	}
	return done ? (ssize_t)done : r;
}

static bool is_cached(struct inode *i, uint64_t pos)
{
	struct page *p = pagecache_get(&i->cache, pos >> PAGE_SHIFT);

	if (p)
		page_unref(p);
	return p != NULL;
}

static ssize_t read_some(
    struct file *f, struct iov_iter *it, uint64_t pos, bool *eof)
{
	struct inode *i = f->inode;
	size_t len = it->left;
	uint64_t size;
	int err;

	if (is_direct(f))
		return read_direct(f, it, pos, len, eof);
	err = known_size(f, &size);
	if (err || pos >= size) {
		*eof = true;
		return err;
	}
	len = min(len, size - pos);
	if (len >= FUSE_DIRECT_MIN && !i->cache.writers && !is_cached(i, pos))
		return read_direct(f, it, pos, len, eof);
	return read_cached(f, it, pos, len, size, eof);
}

static ssize_t fuse_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	ssize_t done = 0, n = 0;
	bool eof = false;

	while (it->left && !eof) {
		n = read_some(f, it, *pos, &eof);
		if (n <= 0)
			break;
		*pos += (uint64_t)n;
		done += n;
	}
	return done ? done : n;
}

/* Copy what was written from `it` into the pages that are cached. */
static void update_cache(
    struct inode *i, struct iov_iter it, uint64_t pos, size_t n)
{
	pagecache_changed(&i->cache);
	while (n && i->cache.nr) {
		size_t off = pos & ~PAGE_MASK, len = min(PAGE_SIZE - off, n);
		struct page *p = pagecache_get(&i->cache, pos >> PAGE_SHIFT);
		ssize_t r = (ssize_t)len;
		if (p) {
			r = iter_in((char *)page_to_virt(p) + off, len, &it);
			page_unref(p);
		} else {
			iter_advance(&it, len);
		}
		if (r != (ssize_t)len)
			pagecache_drop(
			    &i->cache, pos >> PAGE_SHIFT, pos >> PAGE_SHIFT);
		if (r != (ssize_t)len)
			return;
		pos += len;
		n -= len;
	}
}

/* The file has been written up to `end`. */
static void written(struct inode *i, uint64_t end)
{
	fuse_attr_stale(i);
	spin_lock(&i->lock);
	i->attr.size = max(i->attr.size, end);
	spin_unlock(&i->lock);
}

static ssize_t write_call(
    struct file *f, uint64_t pos, size_t len, struct sg *v, unsigned nr)
{
	struct fuse_write_in in = {
	    .offset = pos,
	    .size = (uint32_t)len,
	    .flags = f->flags,
	};
	struct fuse_write_out out;
	struct fuse_call call = {
	    .opcode = FUSE_WRITE,
	    .nodeid = fuse_nodeid(f->inode),
	    .in = {{&in, sizeof(in)}},
	    .out = &out,
	    .out_size = sizeof(out),
	    .sg = v,
	    .nr_sg = nr,
	};
	ssize_t n = fuse_write_fh(f, &in.fh);

	if (!n)
		n = fuse_call(fuse_conn(f->inode), &call);
	if (n < 0)
		return n;
	return out.size > len || !out.size ? -EIO : (ssize_t)out.size;
}

static ssize_t write_direct(
    struct file *f, struct iov_iter *it, uint64_t pos, size_t len)
{
	unsigned most = fuse_conn(f->inode)->max_pages, nr;
	struct iov_iter from = *it;
	struct sg *v;
	ssize_t n;

	most = (unsigned)min((uint64_t)most, page_count(len) + it->nr + 1);
	v = sg_alloc(most);
	if (!v)
		return -ENOMEM;
	n = iter_pin(it, false, len, v, most, &nr);
	if (n > 0)
		n = write_call(f, pos, (size_t)n, v, nr);
	if (n > 0) {
		iter_advance(it, (size_t)n);
		update_cache(f->inode, from, pos, (size_t)n);
	}
	sg_free(v);
	return n;
}

/* Through a copy: one block of pages. */
static ssize_t write_copied(
    struct file *f, struct iov_iter *it, uint64_t pos, size_t len)
{
	unsigned order = len > 2 * PAGE_SIZE ? 2 : len > PAGE_SIZE;
	struct page *p = page_alloc(order, 0);
	struct iov_iter from = *it, copy;
	struct sg v[3];
	struct iovec iov;
	ssize_t n, w;

	if (!p)
		return -ENOMEM;
	n = iter_in(page_to_virt(p), len, &from);
	if (n <= 0) {
		page_unref(p);
		return n;
	}
	page_ref(p); /* the device's */
	v[2] = (struct sg){page_to_phys(p), (uint32_t)n};
	w = write_call(f, pos, (size_t)n, v + 2, 1);
	if (w > 0) {
		iter_advance(it, (size_t)w);
		iov = (struct iovec){page_to_virt(p), (size_t)w};
		iter_init(&copy, &iov, 1, true);
		update_cache(f->inode, copy, pos, (size_t)w);
	}
	page_unref(p);
	return w;
}

static ssize_t write_some(struct file *f, struct iov_iter *it, uint64_t pos)
{
	struct fuse_conn *c = fuse_conn(f->inode);
	size_t len = min(it->left, (size_t)c->max_write);

	len = min(len, c->max_pages * PAGE_SIZE);
	return len >= FUSE_DIRECT_MIN ? write_direct(f, it, pos, len)
				      : write_copied(f, it, pos, len);
}

static ssize_t fuse_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	ssize_t done = 0, n = 0;
	int err;

	if (f->flags & O_APPEND) {
		err = fuse_getattr(f->inode, f);
		if (err)
			return err;
		*pos = f->inode->attr.size;
	}
	if (it->left && *pos > INT64_MAX - it->left)
		return -EFBIG;
	while (it->left) {
		n = write_some(f, it, *pos);
		if (n <= 0)
			break;
		*pos += (uint64_t)n;
		done += n;
		written(f->inode, *pos);
	}
	return done ? done : n;
}

static int64_t seek_call(struct file *f, int64_t off, int whence)
{
	struct fuse_conn *c = fuse_conn(f->inode);
	struct fuse_lseek_in in = {
	    .fh = fuse_handle(f)->fh,
	    .offset = (uint64_t)off,
	    .whence = (uint32_t)whence,
	};
	struct fuse_lseek_out out;
	struct fuse_call call = {
	    .opcode = FUSE_LSEEK,
	    .nodeid = fuse_nodeid(f->inode),
	    .in = {{&in, sizeof(in)}},
	    .out = &out,
	    .out_size = sizeof(out),
	};
	ssize_t n;

	if (off < 0)
		return -ENXIO;
	n = c->missing & 1ull << FUSE_LSEEK ? -ENOSYS : fuse_call(c, &call);
	if (n == -ENOSYS)
		return inode_file_seek(f, off, whence);
	if (n < 0)
		return n;
	if (out.offset > INT64_MAX)
		return -EIO;
	f->pos = out.offset;
	return (int64_t)out.offset;
}

static int64_t fuse_seek(struct file *f, int64_t off, int whence)
{
	if (f->seekable && (whence == 3 || whence == 4))
		return seek_call(f, off, whence);
	return inode_file_seek(f, off, whence);
}

int fuse_fallocate(struct file *f, unsigned mode, uint64_t off, uint64_t len)
{
	struct inode *i = f->inode;
	struct fuse_fallocate_in in = {
	    .fh = fuse_handle(f)->fh,
	    .offset = off,
	    .length = len,
	    .mode = mode,
	};
	struct fuse_call call = {
	    .opcode = FUSE_FALLOCATE,
	    .nodeid = fuse_nodeid(i),
	    .in = {{&in, sizeof(in)}},
	};
	ssize_t n = inode_sync_maps(i);

	if (n < 0)
		return (int)n;
	n = fuse_call(fuse_conn(i), &call);
	fuse_attr_stale(i);
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
		pagecache_changed(&i->cache);
		if (n >= 0)
			pagecache_clear(&i->cache, off, off + len);
	} else if (mode & ~(unsigned)FALLOC_FL_KEEP_SIZE) {
		fuse_forget_pages(i, 0, UINT64_MAX);
	}
	return n == -ENOSYS ? -EOPNOTSUPP : n < 0 ? (int)n : 0;
}

ssize_t fuse_copy_range(struct file *in, uint64_t in_off, struct file *out,
    uint64_t out_off, size_t len)
{
	struct fuse_conn *c = fuse_conn(in->inode);
	struct fuse_copy_file_range_in arg;
	struct fuse_write_out reply;
	struct fuse_call call = {
	    .opcode = FUSE_COPY_FILE_RANGE,
	    .nodeid = fuse_nodeid(in->inode),
	    .in = {{&arg, sizeof(arg)}},
	    .out = &reply,
	    .out_size = sizeof(reply),
	};
	ssize_t n;

	if (out->inode->fs != in->inode->fs)
		return -EXDEV;
	n = inode_sync_maps(in->inode);
	if (!n)
		n = inode_sync_maps(out->inode);
	if (n)
		return n;
	arg = (struct fuse_copy_file_range_in){fuse_handle(in)->fh, in_off,
	    fuse_nodeid(out->inode), fuse_handle(out)->fh, out_off,
	    min(len, (size_t)RW_MAX), 0};
	n = c->missing & 1ull << FUSE_COPY_FILE_RANGE ? -ENOSYS
						      : fuse_call(c, &call);
	if (n < 0)
		return n;
	if (reply.size > len)
		return -EIO;
	if (reply.size) {
		fuse_forget_pages(out->inode, out_off >> PAGE_SHIFT,
		    (out_off + reply.size - 1) >> PAGE_SHIFT);
		written(out->inode, out_off + reply.size);
	}
	return reply.size;
}

static int fuse_mmap(struct file *f, struct vm_region *r)
{
	if (is_direct(f) && r->flags & VM_SHARED && r->flags & VM_WRITE)
		return -ENODEV; /* no cache that all could share */
	return inode_file_mmap(f, r);
}

const struct file_ops fuse_file_ops = {
    .read = fuse_read,
    .write = fuse_write,
    .seek = fuse_seek,
    .poll = file_always_ready,
    .ioctl = file_no_ioctl,
    .stat = inode_file_stat,
    .mmap = fuse_mmap,
    .flush = fuse_flush,
    .fsync = fuse_fsync,
    .release = fuse_file_release,
};

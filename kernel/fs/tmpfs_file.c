/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contents of tmpfs's regular files: sparse pages in the inode's page
 * tree, which is the file itself.  All tmpfs together may take half of RAM.
 */
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include "kernel/fs/tmpfs.h"
#include "kernel/lib/string.h"

#define SIZE_LIMIT (1ull << 62)

static uint64_t used; /* [a] pages of all tmpfs */

uint64_t tmp_pages_max(void)
{
	return page_total() / PAGE_SIZE / 2;
}

uint64_t tmp_pages_used(void)
{
	return __atomic_load_n(&used, __ATOMIC_RELAXED);
}

/* The page at index with a reference, made if missing; NULL: no space. */
static struct page *page_make(struct inode *i, uint64_t index)
{
	struct page *p = pagecache_get(&i->cache, index);
	int err;

	if (p)
		return p;
	if (tmp_pages_used() >= tmp_pages_max())
		return NULL;
	p = page_alloc(0, PAGE_ZERO);
	if (!p)
		return NULL;
	err = pagecache_add(&i->cache, index, p, pagecache_gen(&i->cache));
	if (err) {
		page_unref(p);
		return err == -EEXIST ? pagecache_get(&i->cache, index) : NULL;
	}
	__atomic_add_fetch(&used, 1, __ATOMIC_RELAXED);
	spin_lock(&i->lock);
	i->attr.blocks += PAGE_SIZE / 512;
	spin_unlock(&i->lock);
	return p;
}

/* Account for n pages that left the tree. */
static void pages_gone(struct inode *i, uint32_t n)
{
	__atomic_sub_fetch(&used, n, __ATOMIC_RELAXED);
	spin_lock(&i->lock);
	i->attr.blocks -= n * (PAGE_SIZE / 512);
	spin_unlock(&i->lock);
}

void tmp_clear(struct inode *i)
{
	pages_gone(i, pagecache_drop(&i->cache, 0, UINT64_MAX));
}

static void resize_locked(struct inode *i, uint64_t size)
{
	uint64_t old = i->attr.size;

	spin_lock(&i->lock);
	i->attr.size = size;
	spin_unlock(&i->lock);
	if (size < old) {
		pages_gone(i, pagecache_truncate(&i->cache, size));
		inode_unmap(i, page_count(size), UINT64_MAX, true);
	}
}

void tmp_resize(struct inode *i, uint64_t size)
{
	MUTEX_GUARD(&i->change_lock);
	resize_locked(i, size);
}

static ssize_t tmp_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct inode *i = f->inode;
	ssize_t done = 0, n = 0;

	while (it->left && *pos < i->attr.size) {
		size_t off = *pos & ~PAGE_MASK;
		size_t len =
		    min(min(PAGE_SIZE - off, it->left), i->attr.size - *pos);
		struct page *p = pagecache_get(&i->cache, *pos >> PAGE_SHIFT);
		if (p) {
			n = iter_out(it, (char *)page_to_virt(p) + off, len);
			page_unref(p);
		} else {
			n = iter_clear(it, len);
		}
		if (n <= 0)
			break;
		*pos += (uint64_t)n;
		done += n;
	}
	if (done && !(f->flags & O_NOATIME)) {
		spin_lock(&i->lock);
		i->attr.atime = stamp_now();
		spin_unlock(&i->lock);
	}
	return done ? done : n;
}

static ssize_t write_page(struct inode *i, struct iov_iter *it, uint64_t pos)
{
	size_t off = pos & ~PAGE_MASK, len = min(PAGE_SIZE - off, it->left);
	struct page *p = page_make(i, pos >> PAGE_SHIFT);
	ssize_t n;

	if (!p)
		return -ENOSPC;
	n = iter_in((char *)page_to_virt(p) + off, len, it);
	page_unref(p);
	if (n > 0) {
		spin_lock(&i->lock);
		i->attr.size = max(i->attr.size, pos + (uint64_t)n);
		spin_unlock(&i->lock);
	}
	return n;
}

static ssize_t tmp_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct inode *i = f->inode;
	ssize_t done = 0, n = 0;

	MUTEX_GUARD(&i->change_lock);
	if (f->flags & O_APPEND)
		*pos = i->attr.size;
	if (*pos >= SIZE_LIMIT && it->left)
		return -EFBIG;
	while (it->left) {
		n = write_page(i, it, *pos);
		if (n <= 0)
			break;
		*pos += (uint64_t)n;
		done += n;
	}
	if (done)
		tmp_touch(i);
	return done ? done : n;
}

int tmp_pages(struct file *f, uint64_t index, unsigned n, struct page **pages,
    size_t *bytes)
{
	struct inode *i = f->inode;
	uint64_t start = index << PAGE_SHIFT, size = i->attr.size;
	unsigned got = 0;

	if (start >= size)
		return 0;
	n = (unsigned)min((uint64_t)n, page_count(size - start));
	while (got < n && (pages[got] = page_make(i, index + got)))
		got++;
	*bytes = min((uint64_t)got * PAGE_SIZE, size - start);
	return got ? (int)got : -ENOMEM;
}

/* Whole pages go, of others a part is cleared. */
static void punch(struct inode *i, uint64_t from, uint64_t to)
{
	uint64_t first = page_count(from), end = to >> PAGE_SHIFT;

	pagecache_clear(&i->cache, from, to);
	if (first >= end)
		return;
	pages_gone(i, pagecache_drop(&i->cache, first, end - 1));
	inode_unmap(i, first, end - 1, false);
}

/* SEEK_DATA and SEEK_HOLE, by pages; the end of the file is a hole. */
static int64_t tmp_seek(struct file *f, int64_t off, int whence)
{
	uint64_t size = f->inode->attr.size, at;

	if (whence != 3 && whence != 4)
		return inode_file_seek(f, off, whence);
	if (off < 0 || (uint64_t)off >= size)
		return -ENXIO;
	at = pagecache_next(
	    &f->inode->cache, (uint64_t)off >> PAGE_SHIFT, whence == 3);
	if (at >= page_count(size)) {
		if (whence == 3)
			return -ENXIO;
		at = size;
	} else {
		at = max(at << PAGE_SHIFT, (uint64_t)off);
	}
	f->pos = at;
	return (int64_t)at;
}

int tmp_fallocate(struct file *f, unsigned mode, uint64_t off, uint64_t len)
{
	struct inode *i = f->inode;
	uint64_t end = off + len, at;
	struct page *p;

	MUTEX_GUARD(&i->change_lock);
	if (mode & FALLOC_FL_PUNCH_HOLE) {
		punch(i, off, end);
		tmp_touch(i);
		return 0;
	}
	if (mode & ~(unsigned)FALLOC_FL_KEEP_SIZE)
		return -EOPNOTSUPP;
	for (at = off >> PAGE_SHIFT; at << PAGE_SHIFT < end; at++) {
		p = page_make(i, at);
		if (!p)
			return -ENOSPC;
		page_unref(p);
	}
	if (!(mode & FALLOC_FL_KEEP_SIZE) && end > i->attr.size)
		resize_locked(i, end);
	tmp_touch(i);
	return 0;
}

const struct file_ops tmp_file_ops = {
    .read = tmp_read,
    .write = tmp_write,
    .seek = tmp_seek,
    .poll = file_always_ready,
    .ioctl = file_no_ioctl,
    .stat = inode_file_stat,
    .mmap = inode_file_mmap,
    .flush = file_no_flush,
    .fsync = inode_null_fsync,
    .release = inode_file_release,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From file to file within the kernel: the pages of the one's cache are the
 * buffers that the other's write is given.
 */
#include <linux/fcntl.h>
#include <linux/uio.h>
#include "kernel/fs/inotify.h"
#include "kernel/fs/vfs.h"
#include "kernel/fs/permission.h"
#include "posix/calls.h"
#include "posix/fs.h"

#define CHUNK_PAGES 64u

struct chunk {
	struct page *pages[CHUNK_PAGES];
	struct iovec iov[CHUNK_PAGES];
};

/* Fill iov with `bytes` valid bytes of n pages, from `off` in the first. */
static unsigned describe(
    struct chunk *c, unsigned n, size_t off, size_t bytes, size_t len)
{
	unsigned used = 0;

	if (bytes <= off)
		return 0;
	len = min(len, bytes - off);
	for (unsigned k = 0; k < n && len; k++) {
		size_t part = min(PAGE_SIZE - off, len);
		c->iov[used++] = (struct iovec){
		    (char *)page_to_virt(c->pages[k]) + off, part};
		len -= part;
		off = 0;
	}
	return used;
}

static ssize_t copy_chunk(struct file *in, uint64_t pos, struct file *out,
    uint64_t *out_pos, size_t len)
{
	struct chunk c;
	struct iov_iter it;
	size_t off = pos & ~PAGE_MASK, bytes = 0;
	unsigned want = (unsigned)min(
	    (uint64_t)CHUNK_PAGES, (off + len + PAGE_SIZE - 1) >> PAGE_SHIFT);
	int n =
	    in->inode->ops->pages(in, pos >> PAGE_SHIFT, want, c.pages, &bytes);
	ssize_t r = 0;

	if (n <= 0)
		return n;
	iter_init(&it, c.iov, describe(&c, (unsigned)n, off, bytes, len), true);
	it.pages = true;
	if (it.left)
		r = inode_write(out, &it, out_pos);
	for (int k = 0; k < n; k++)
		page_unref(c.pages[k]);
	return r;
}

/* Copy until the end, an error, or a short write. */
static ssize_t copy_all(struct file *in, uint64_t *pos, struct file *out,
    uint64_t *out_pos, size_t len)
{
	ssize_t done = 0, n = 0;

	while (len) {
		n = copy_chunk(in, *pos, out, out_pos, len);
		if (n <= 0)
			break;
		*pos += (uint64_t)n;
		done += n;
		len -= (size_t)n;
	}
	if (done) {
		fs_notify_file(in, IN_ACCESS);
		fs_notify_file(out, IN_MODIFY);
	}
	return done ? done : n;
}

static long check_sendfile(struct file *in, struct file *out)
{
	if ((in->flags & O_ACCMODE) == O_WRONLY || in->flags & O_PATH ||
	    !fs_writable(out))
		return -EBADF;
	if (!in->inode || !INODE_IS_REG(in->inode) || out->flags & O_APPEND)
		return -EINVAL;
	return 0;
}

static long sendfile_files(
    struct file *in, struct file *out, int64_t *user_off, size_t len)
{
	uint64_t pos = in->pos;
	int64_t off;
	long r = check_sendfile(in, out);

	if (r)
		return r;
	if (user_off) {
		if (get_user(off, user_off))
			return -EFAULT;
		if (off < 0)
			return -EINVAL;
		pos = (uint64_t)off;
	}
	if (out->seekable)
		mutex_lock(&out->pos_lock);
	r = copy_all(in, &pos, out, &out->pos, min(len, (size_t)RW_MAX));
	if (out->seekable)
		mutex_unlock(&out->pos_lock);
	if (user_off) {
		if (put_user(user_off, (int64_t)pos))
			return -EFAULT;
	} else {
		in->pos = pos;
	}
	return r;
}

long kcall_sendfile(int out_fd, int in_fd, int64_t *user_off, size_t len)
{
	struct file *in = fd_get(in_fd), *out = fd_get(out_fd);
	long r = -EBADF;

	if (in && out)
		r = sendfile_files(in, out, user_off, len);
	if (in)
		file_put(in);
	if (out)
		file_put(out);
	return r;
}

static long check_copy(struct file *in, struct file *out)
{
	if ((in->flags & O_ACCMODE) == O_WRONLY || in->flags & O_PATH ||
	    !fs_writable(out) || out->flags & O_APPEND)
		return -EBADF;
	if (!in->inode || !out->inode)
		return -EINVAL;
	if (INODE_IS_DIR(in->inode) || INODE_IS_DIR(out->inode))
		return -EISDIR;
	return INODE_IS_REG(in->inode) && INODE_IS_REG(out->inode) ? 0
								   : -EINVAL;
}

static long copy_files(
    struct file *in, uint64_t *from, struct file *out, uint64_t *to, size_t len)
{
	long r = check_copy(in, out);

	if (r)
		return r;
	if ((int64_t)*from < 0 || (int64_t)*to < 0)
		return -EINVAL;
	len = min(len, (size_t)RW_MAX);
	if (in->inode == out->inode && *from < *to + len && *to < *from + len)
		return -EINVAL;
	if (!len)
		return 0;
	if (in->inode->ops == out->inode->ops) {
		r = in->inode->ops->copy_range(in, *from, out, *to, len);
		if (r >= 0) {
			*from += (uint64_t)r;
			*to += (uint64_t)r;
		}
		if (r != -EXDEV && r != -EOPNOTSUPP && r != -ENOSYS)
			return r;
	}
	return copy_all(in, from, out, to, len);
}

long kcall_copy_file_range(int in_fd, int64_t *in_off, int out_fd,
    int64_t *out_off, size_t len, unsigned flags)
{
	struct file *in = fd_get(in_fd), *out = fd_get(out_fd);
	uint64_t from, to;
	long r = -EBADF;

	if (!in || !out)
		goto out;
	r = -EINVAL;
	if (flags)
		goto out;
	from = in->pos;
	to = out->pos;
	r = -EFAULT;
	if ((in_off && get_user(from, (uint64_t *)in_off)) ||
	    (out_off && get_user(to, (uint64_t *)out_off)))
		goto out;
	r = copy_files(in, &from, out, &to, len);
	if (r < 0)
		goto out;
	if (!in_off)
		in->pos = from;
	else if (put_user(in_off, (int64_t)from))
		r = -EFAULT;
	if (!out_off)
		out->pos = to;
	else if (put_user(out_off, (int64_t)to))
		r = -EFAULT;
out:
	if (in)
		file_put(in);
	if (out)
		file_put(out);
	return r;
}

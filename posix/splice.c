/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * splice(2), tee(2): to and from pipes.  The data is copied, once
 * out of and once into a buffer in the kernel; SPLICE_F_MOVE and _GIFT are
 * hints that change nothing.
 */
#include <linux/fcntl.h>
#include <linux/uio.h>
#include "kernel/fs/file.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/permission.h"
#include "kernel/mm/kmem.h"
#include "posix/calls.h"
#include "posix/fs.h"

#define SPLICE_F_MOVE     1u
#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_MORE     4u
#define SPLICE_F_GIFT     8u
#define SPLICE_FLAGS      15u
#define CHUNK             (64 * KIB)

struct splice {
	struct file *in, *out;
	uint64_t *in_pos, *out_pos;
	size_t len;
	bool nonblock;
	bool keep; /* tee: the data stays in the pipe */
	char *buf;
};

static ssize_t move_kernel(
    struct file *f, void *buf, size_t n, uint64_t *pos, bool write)
{
	struct iovec iov = {buf, n};
	struct iov_iter it;

	iter_init(&it, &iov, 1, true);
	return write ? inode_write(f, &it, pos) : f->ops->read(f, &it, pos);
}

/* A file's or socket's data into a pipe: never more than fits. */
static ssize_t into_pipe(struct splice *s)
{
	ssize_t n = pipe_room(s->out, s->nonblock);

	if (n < 0)
		return n;
	n = move_kernel(s->in, s->buf,
	    min(min((size_t)n, s->len), (size_t)CHUNK), s->in_pos, false);
	return n <= 0
		   ? n
		   : move_kernel(s->out, s->buf, (size_t)n, s->out_pos, true);
}

/* A pipe's data out; what the other side does not take stays. */
static ssize_t out_of_pipe(struct splice *s)
{
	size_t most = min(s->len, (size_t)CHUNK);
	ssize_t n = 0;

	if (pipe_is(s->out)) {
		n = pipe_room(s->out, s->nonblock);
		if (n < 0)
			return n;
		most = min(most, (size_t)n);
	}
	for (;;) {
		pipe_lock_read(s->in);
		n = pipe_take(s->in, s->buf, most);
		if (n != -EAGAIN || s->nonblock)
			break;
		pipe_unlock_read(s->in);
		n = pipe_wait_data(s->in);
		if (n)
			return n;
	}
	if (n > 0)
		n = move_kernel(s->out, s->buf, (size_t)n, s->out_pos, true);
	if (n > 0 && !s->keep)
		pipe_drop(s->in, (size_t)n);
	pipe_unlock_read(s->in);
	return n;
}

static ssize_t splice_run(struct splice *s)
{
	ssize_t n;

	s->nonblock |= (pipe_is(s->in) && s->in->flags & O_NONBLOCK) ||
		       (pipe_is(s->out) && s->out->flags & O_NONBLOCK);
	s->buf = kmalloc(CHUNK);
	if (!s->buf)
		return -ENOMEM;
	n = pipe_is(s->in) ? out_of_pipe(s) : into_pipe(s);
	kfree(s->buf);
	return n;
}

static bool readable(const struct file *f)
{
	return (f->flags & O_ACCMODE) != O_WRONLY && !(f->flags & O_PATH);
}

static bool same_pipe(const struct file *a, const struct file *b)
{
	return pipe_is(a) && pipe_is(b) && a->priv == b->priv;
}

/* An offset goes with a seekable file only. */
static long position(
    struct file *f, uint64_t *user, uint64_t *copy, uint64_t **pos)
{
	*pos = &f->pos;
	if (!user)
		return 0;
	if (!f->seekable)
		return -ESPIPE;
	if (get_user(*copy, user))
		return -EFAULT;
	if ((int64_t)*copy < 0)
		return -EINVAL;
	*pos = copy;
	return 0;
}

static long splice_files(struct splice *s, uint64_t *in_off, uint64_t *out_off)
{
	uint64_t from, to;
	long r;

	if (!readable(s->in) || !fs_writable(s->out))
		return -EBADF;
	if ((!pipe_is(s->in) && !pipe_is(s->out)) || same_pipe(s->in, s->out) ||
	    (!pipe_is(s->out) && s->out->flags & O_APPEND))
		return -EINVAL;
	r = position(s->in, in_off, &from, &s->in_pos);
	if (!r)
		r = position(s->out, out_off, &to, &s->out_pos);
	if (!r)
		r = splice_run(s);
	if (r > 0 && in_off && put_user(in_off, from))
		return -EFAULT;
	if (r > 0 && out_off && put_user(out_off, to))
		return -EFAULT;
	return r;
}

static long with_files(struct splice *s, int in, int out,
    long (*fn)(struct splice *s, uint64_t *in_off, uint64_t *out_off),
    uint64_t *in_off, uint64_t *out_off)
{
	long r = -EBADF;

	s->in = fd_get(in);
	s->out = fd_get(out);
	if (s->in && s->out)
		r = fn(s, in_off, out_off);
	if (s->in)
		file_put(s->in);
	if (s->out)
		file_put(s->out);
	return r;
}

long kcall_splice(int in, uint64_t *in_off, int out, uint64_t *out_off,
    size_t len, unsigned flags)
{
	struct splice s = {.len = min(len, (size_t)RW_MAX),
	    .nonblock = flags & SPLICE_F_NONBLOCK};

	if (!len)
		return 0;
	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	return with_files(&s, in, out, splice_files, in_off, out_off);
}

static long tee_files(struct splice *s, uint64_t *in_off, uint64_t *out_off)
{
	(void)in_off, (void)out_off;
	if (!readable(s->in) || !fs_writable(s->out))
		return -EBADF;
	if (!pipe_is(s->in) || !pipe_is(s->out) || same_pipe(s->in, s->out))
		return -EINVAL;
	s->out_pos = &s->out->pos;
	return splice_run(s);
}

long kcall_tee(int in, int out, size_t len, unsigned flags)
{
	struct splice s = {.len = min(len, (size_t)RW_MAX),
	    .nonblock = flags & SPLICE_F_NONBLOCK,
	    .keep = true};

	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	if (!len)
		return 0;
	return with_files(&s, in, out, tee_files, NULL, NULL);
}

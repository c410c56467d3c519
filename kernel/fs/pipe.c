/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pipes: a byte queue with two ends.  Writes of up to PIPE_BUF bytes are not
 * split: they wait until the whole fits.  The pipe goes with its last end.
 */
#include <asm/ioctls.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include "kernel/fs/file.h"
#include "kernel/fs/pipe.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/byteq.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/thread.h"

#define PIPE_CAPACITY (64 * KIB)
#define PIPE_ATOMIC   4096

struct pipe {
	struct byteq q;
	struct mutex read_lock, write_lock;
	struct waitq wait;
	bool no_reader, no_writer; /* [a] that end is closed */
	uint32_t refs;             /* [a] ends */
};

static ssize_t pipe_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct pipe *p = f->priv;
	ssize_t r;
	int err;

	(void)pos;
	if (!it->left)
		return 0;
	MUTEX_GUARD(&p->read_lock);
	for (;;) {
		bool over = p->no_writer; /* before the look: data first */
		r = byteq_read(&p->q, it, false);
		if (r) {
			waitq_wake_all(&p->wait, POLL_OUT);
			return r;
		}
		if (over)
			return 0;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event(&p->wait, byteq_bytes(&p->q) || p->no_writer,
		    DEADLINE_NEVER, true);
		if (err)
			return err;
	}
}

/* Bytes that may be written now; small writes want all of theirs. */
static size_t room(struct pipe *p, size_t want)
{
	size_t used = byteq_bytes(&p->q);
	size_t space = used < PIPE_CAPACITY ? PIPE_CAPACITY - used : 0;

	return want <= PIPE_ATOMIC && space < want ? 0 : space;
}

static ssize_t pipe_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct pipe *p = f->priv;
	size_t want = it->left, space;
	ssize_t r = 0, done = 0;

	(void)pos;
	MUTEX_GUARD(&p->write_lock);
	while (it->left) {
		if (p->no_reader) {
			r = -EPIPE;
			break;
		}
		space = room(p, done ? 1 : want);
		if (space) {
			r = byteq_write(&p->q, it, space);
			if (r < 0)
				break;
			done += r;
			waitq_wake_all(&p->wait, POLL_IN);
			continue;
		}
		r = -EAGAIN;
		if (f->flags & O_NONBLOCK)
			break;
		r = wait_event(&p->wait,
		    room(p, done ? 1 : want) || p->no_reader, DEADLINE_NEVER,
		    true);
		if (r)
			break;
	}
	if (r == -EPIPE && !done)
		(void)signal_send_thread(thread_current(), SIG_PIPE, NULL);
	return done ? done : r;
}

static unsigned pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe *p = f->priv;
	unsigned ev = 0;

	poll_add(pt, &p->wait);
	if ((f->flags & O_ACCMODE) == O_RDONLY) {
		if (byteq_bytes(&p->q))
			ev |= POLL_IN;
		if (p->no_writer)
			ev |= POLL_HUP;
	} else {
		if (room(p, PIPE_ATOMIC))
			ev |= POLL_OUT;
		if (p->no_reader)
			ev |= POLL_ERR;
	}
	return ev;
}

static long pipe_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
	struct pipe *p = f->priv;
	int n = (int)byteq_bytes(&p->q);

	return cmd == FIONREAD ? put_user((int *)arg, n) : -ENOTTY;
}

static int pipe_stat(struct file *f, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFIFO | 0600;
	st->st_ino = (uintptr_t)f->priv >> 4 & 0xffffffff;
	st->st_nlink = 1;
	st->st_blksize = 4096;
	return 0;
}

static void pipe_release(struct file *f)
{
	struct pipe *p = f->priv;

	if ((f->flags & O_ACCMODE) == O_RDONLY)
		p->no_reader = true;
	else
		p->no_writer = true;
	waitq_wake_all(&p->wait, 0);
	if (__atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL))
		return;
	byteq_destroy(&p->q);
	kfree(p);
}

static const struct file_ops pipe_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .seek = file_no_seek,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .stat = pipe_stat,
    .mmap = file_no_mmap,
    .flush = file_no_flush,
    .fsync = file_no_fsync,
    .release = pipe_release,
};

int pipe_create(unsigned flags, struct file *out[2])
{
	struct pipe *p = kzalloc(sizeof(*p));
	struct file *r = file_alloc(&pipe_ops, O_RDONLY | flags);
	struct file *w = file_alloc(&pipe_ops, O_WRONLY | flags);

	if (!p || !r || !w) {
		kfree(p);
		kfree(r);
		kfree(w);
		return -ENOMEM;
	}
	byteq_init(&p->q);
	mutex_init(&p->read_lock);
	mutex_init(&p->write_lock);
	waitq_init(&p->wait);
	p->refs = 2;
	r->priv = w->priv = p;
	out[0] = r;
	out[1] = w;
	return 0;
}

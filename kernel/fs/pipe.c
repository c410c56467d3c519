/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pipes and FIFOs: a byte queue with two sides.  Writes of up to PIPE_BUF
 * bytes are not split: they wait until the whole fits.  A pipe goes with its
 * last file.  A FIFO is a pipe that is found by its inode while it is open.
 */
#include <asm/ioctls.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include "kernel/fs/file.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/byteq.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/thread.h"

#define CAPACITY_DEFAULT (64 * KIB)
#define CAPACITY_MAX     MIB /* Linux's pipe-max-size */
#define PIPE_ATOMIC      4096

/* [s] sides_lock, [a] atomic. */
struct pipe {
	struct byteq q;
	struct mutex read_lock, write_lock;
	struct waitq wait;
	size_t capacity;           /* [a] */
	unsigned readers, writers; /* [s, read without] files on that side */
	unsigned files;            /* [s] */
	uint64_t came[2];          /* [s] readers and writers ever */
	struct inode *inode;       /* [i] a FIFO's */
	struct list node;          /* [s] a FIFO's, in fifos */
};

static struct spinlock sides_lock = SPINLOCK_INIT;
static struct list fifos = LIST_INIT(fifos); /* [s] that are open */

static bool reads(const struct file *f)
{
	return (f->flags & O_ACCMODE) != O_WRONLY;
}

static bool writes(const struct file *f)
{
	return (f->flags & O_ACCMODE) != O_RDONLY;
}

static unsigned count(const unsigned *n)
{
	return __atomic_load_n(n, __ATOMIC_ACQUIRE);
}

/* Something has changed, under one of the mutexes: unlocking that was a fence
 * between the change and the look at who waits. */
static void wake(struct pipe *p, unsigned event)
{
	if (!waitq_empty(&p->wait))
		waitq_wake_sync(&p->wait, event);
}

static ssize_t take(struct pipe *p, struct iov_iter *it)
{
	ssize_t r;

	if (!byteq_bytes(&p->q))
		return 0;
	mutex_lock(&p->read_lock);
	r = byteq_read(&p->q, it, false);
	mutex_unlock(&p->read_lock);
	if (r)
		wake(p, POLL_OUT);
	return r;
}

static ssize_t pipe_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct pipe *p = f->priv;
	ssize_t r;
	int err;

	(void)pos;
	if (!it->left)
		return 0;
	for (;;) {
		bool over = !count(&p->writers); /* data first */
		r = take(p, it);
		if (r)
			return r;
		if (over)
			return 0;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_tried(&p->wait,
		    byteq_bytes(&p->q) || !count(&p->writers), DEADLINE_NEVER,
		    true);
		if (err)
			return err;
	}
}

/* Bytes that may be written now; small writes want all of theirs. */
static size_t room(struct pipe *p, size_t want)
{
	size_t used = byteq_bytes(&p->q);
	size_t all = __atomic_load_n(&p->capacity, __ATOMIC_RELAXED);
	size_t space = used < all ? all - used : 0;

	return want <= PIPE_ATOMIC && space < want ? 0 : space;
}

static ssize_t pipe_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct pipe *p = f->priv;
	size_t want = it->left, space;
	ssize_t r = 0, done = 0;

	(void)pos;
	while (it->left) {
		if (!count(&p->readers)) {
			r = -EPIPE;
			break;
		}
		mutex_lock(&p->write_lock);
		space = room(p, done ? 1 : want);
		r = space ? byteq_write(&p->q, it, space) : -EAGAIN;
		mutex_unlock(&p->write_lock);
		if (space) {
			if (r < 0)
				break;
			done += r;
			wake(p, POLL_IN);
			continue;
		}
		if (f->flags & O_NONBLOCK)
			break;
		r = wait_event(&p->wait,
		    room(p, done ? 1 : want) || !count(&p->readers),
		    DEADLINE_NEVER, true);
		if (r)
			break;
	}
	if (r == -EPIPE)
		(void)signal_send_thread(thread_current(), SIG_PIPE, NULL);
	return done ? done : r;
}

static unsigned pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe *p = f->priv;
	unsigned ev = 0;

	poll_add(pt, &p->wait);
	if (reads(f)) {
		if (byteq_bytes(&p->q))
			ev |= POLL_IN;
		/* A FIFO's reader hangs up once a writer was there. */
		if (!count(&p->writers) && p->came[1] != f->pos)
			ev |= POLL_HUP;
	}
	if (writes(f)) {
		if (room(p, PIPE_ATOMIC))
			ev |= POLL_OUT;
		if (!count(&p->readers))
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

static void join_locked(struct pipe *p, const struct file *f)
{
	p->files++;
	if (reads(f)) {
		p->readers++;
		p->came[0]++;
	}
	if (writes(f)) {
		p->writers++;
		p->came[1]++;
	}
}

static void pipe_free(struct pipe *p)
{
	byteq_destroy(&p->q);
	kfree(p);
}

static void pipe_release(struct file *f)
{
	struct pipe *p = f->priv;
	bool last;

	spin_lock(&sides_lock);
	if (reads(f))
		p->readers--;
	if (writes(f))
		p->writers--;
	last = --p->files == 0;
	if (last && p->inode)
		list_remove(&p->node);
	waitq_wake_all(&p->wait, 0); /* unlocked, others may free it */
	spin_unlock(&sides_lock);
	if (last)
		pipe_free(p);
	if (f->inode)
		inode_file_release(f);
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

static const struct file_ops fifo_ops = {
    .read = pipe_read,
    .write = pipe_write,
    .seek = file_no_seek,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .stat = inode_file_stat,
    .mmap = file_no_mmap,
    .flush = file_no_flush,
    .fsync = file_no_fsync,
    .release = pipe_release,
};

static struct pipe *pipe_new(void)
{
	struct pipe *p = kzalloc(sizeof(*p));

	if (!p)
		return NULL;
	byteq_init(&p->q);
	mutex_init(&p->read_lock);
	mutex_init(&p->write_lock);
	waitq_init(&p->wait);
	list_init(&p->node);
	p->capacity = CAPACITY_DEFAULT;
	return p;
}

int pipe_create(unsigned flags, struct file *out[2])
{
	struct pipe *p = pipe_new();
	struct file *r = file_alloc(&pipe_ops, O_RDONLY | flags);
	struct file *w = file_alloc(&pipe_ops, O_WRONLY | flags);

	if (!p || !r || !w) {
		kfree(p);
		kfree(r);
		kfree(w);
		return -ENOMEM;
	}
	r->priv = w->priv = p;
	join_locked(p, r); /* nobody else knows it yet */
	join_locked(p, w);
	out[0] = r;
	out[1] = w;
	return 0;
}

/* The FIFO of inode i with f on its side; `fresh` is used if it isn't open. */
static struct pipe *fifo_join(
    struct inode *i, struct file *f, struct pipe *fresh, uint64_t came[2])
{
	struct pipe *p, *found = fresh;

	spin_lock(&sides_lock);
	list_for_each (p, &fifos, node)
		if (p->inode == i)
			found = p;
	if (found == fresh) {
		fresh->inode = i;
		list_push_back(&fifos, &fresh->node);
	}
	came[0] = found->came[0];
	came[1] = found->came[1];
	join_locked(found, f);
	/* Only one that found no writer waits for the first: POLL_HUP. */
	f->pos = found->writers ? 0 : found->came[1];
	f->priv = found;
	spin_unlock(&sides_lock);
	waitq_wake_all(&found->wait, 0);
	return found;
}

/* Wait for somebody on the other side: there now, or come and gone. */
static int fifo_meet(struct file *f, struct pipe *p, const uint64_t came[2])
{
	unsigned flags = f->flags & (O_ACCMODE | O_NONBLOCK);

	if (flags == O_RDONLY)
		return wait_event(&p->wait,
		    count(&p->writers) || p->came[1] != came[1], DEADLINE_NEVER,
		    true);
	if (flags == O_WRONLY)
		return wait_event(&p->wait,
		    count(&p->readers) || p->came[0] != came[0], DEADLINE_NEVER,
		    true);
	if (flags == (O_WRONLY | O_NONBLOCK) && !count(&p->readers))
		return -ENXIO;
	return 0;
}

int fifo_open(struct inode *i, unsigned flags, struct file **f)
{
	struct pipe *fresh = pipe_new(), *p;
	uint64_t came[2];
	int err;

	*f = fresh ? inode_file(i, &fifo_ops, flags) : NULL;
	if (!*f) {
		kfree(fresh);
		return -ENOMEM;
	}
	p = fifo_join(i, *f, fresh, came);
	if (p != fresh)
		pipe_free(fresh);
	err = fifo_meet(*f, p, came);
	if (err)
		file_put(*f);
	return err;
}

bool pipe_is(const struct file *f)
{
	return f->ops == &pipe_ops || f->ops == &fifo_ops;
}

long pipe_capacity(struct file *f)
{
	return pipe_is(f) ? (long)((struct pipe *)f->priv)->capacity : -EBADF;
}

/* As on Linux the size is a power of two of pages. */
long pipe_set_capacity(struct file *f, size_t bytes)
{
	struct pipe *p = f->priv;
	size_t size = PAGE_SIZE;

	if (!pipe_is(f))
		return -EBADF;
	if (bytes > INT32_MAX)
		return -EINVAL;
	while (size < bytes)
		size *= 2;
	if (size > CAPACITY_MAX)
		return -EPERM;
	MUTEX_GUARD(&p->write_lock);
	if (byteq_bytes(&p->q) > size)
		return -EBUSY;
	__atomic_store_n(&p->capacity, size, __ATOMIC_RELAXED);
	waitq_wake_sync(&p->wait, POLL_OUT);
	return (long)size;
}

ssize_t pipe_room(struct file *f, bool nonblock)
{
	struct pipe *p = f->priv;
	size_t space;
	int err;

	for (;;) {
		if (!count(&p->readers)) {
			(void)signal_send_thread(
			    thread_current(), SIG_PIPE, NULL);
			return -EPIPE;
		}
		space = room(p, 1);
		if (space)
			return (ssize_t)space;
		if (nonblock)
			return -EAGAIN;
		err = wait_event(&p->wait, room(p, 1) || !count(&p->readers),
		    DEADLINE_NEVER, true);
		if (err)
			return err;
	}
}

void pipe_lock_read(struct file *f)
{
	mutex_lock(&((struct pipe *)f->priv)->read_lock);
}

void pipe_unlock_read(struct file *f)
{
	mutex_unlock(&((struct pipe *)f->priv)->read_lock);
}

ssize_t pipe_take(struct file *f, void *buf, size_t n)
{
	struct pipe *p = f->priv;
	bool over = !count(&p->writers);
	size_t got = byteq_peek(&p->q, buf, n);

	return got || over ? (ssize_t)got : -EAGAIN;
}

int pipe_wait_data(struct file *f)
{
	struct pipe *p = f->priv;

	return wait_event(&p->wait, byteq_bytes(&p->q) || !count(&p->writers),
	    DEADLINE_NEVER, true);
}

void pipe_drop(struct file *f, size_t n)
{
	struct pipe *p = f->priv;

	byteq_drop(&p->q, n);
	waitq_wake_sync(&p->wait, POLL_OUT);
}

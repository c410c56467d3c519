/* SPDX-License-Identifier: BSD-2-Clause */
/* Event counters, eventfd(2). */
#include <linux/fcntl.h>
#include "kernel/fs/eventfd.h"
#include "kernel/fs/file.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/thread.h"

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
	struct spinlock lock;
	uint64_t count; /* [lock] */
	bool semaphore; /* [i] a read takes 1, not all */
	struct waitq wait;
};

/* Take from the counter; 0 if it is zero. */
static uint64_t take(struct eventfd *e)
{
	uint64_t v;

	spin_lock(&e->lock);
	v = e->semaphore && e->count ? 1 : e->count;
	e->count -= v;
	spin_unlock(&e->lock);
	return v;
}

static bool add(struct eventfd *e, uint64_t v)
{
	bool ok;

	spin_lock(&e->lock);
	ok = v <= COUNT_MAX - e->count;
	if (ok)
		e->count += v;
	spin_unlock(&e->lock);
	return ok;
}

static ssize_t eventfd_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct eventfd *e = f->priv;
	uint64_t v;
	ssize_t r;

	(void)pos;
	if (it->left < sizeof(v))
		return -EINVAL;
	while (!(v = take(e))) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = wait_event(&e->wait, e->count, DEADLINE_NEVER, true);
		if (r)
			return r;
	}
	waitq_wake_all(&e->wait, POLL_OUT);
	r = iter_out(it, &v, sizeof(v));
	return r < 0 ? r : (ssize_t)sizeof(v);
}

static ssize_t eventfd_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct eventfd *e = f->priv;
	uint64_t v;
	ssize_t r;

	(void)pos;
	if (it->left < sizeof(v))
		return -EINVAL;
	r = iter_in(&v, sizeof(v), it);
	if (r != sizeof(v))
		return -EFAULT;
	if (v == UINT64_MAX)
		return -EINVAL;
	while (!add(e, v)) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = wait_event(
		    &e->wait, v <= COUNT_MAX - e->count, DEADLINE_NEVER, true);
		if (r)
			return r;
	}
	waitq_wake_sync(&e->wait, POLL_IN);
	return sizeof(v);
}

static unsigned eventfd_poll(struct file *f, struct poll_table *pt)
{
	struct eventfd *e = f->priv;
	uint64_t n;

	poll_add(pt, &e->wait);
	n = __atomic_load_n(&e->count, __ATOMIC_ACQUIRE);
	return (n ? POLL_IN : 0) | (n < COUNT_MAX ? POLL_OUT : 0);
}

static void eventfd_release(struct file *f)
{
	kfree(f->priv);
}

static const struct file_ops eventfd_ops = {
    .read = eventfd_read,
    .write = eventfd_write,
    .seek = file_noop_seek,
    .poll = eventfd_poll,
    .ioctl = file_no_ioctl,
    .stat = file_anonymous_stat,
    .mmap = file_no_mmap,
    .flush = file_no_flush,
    .fsync = file_no_fsync,
    .release = eventfd_release,
};

struct file *eventfd_create(uint64_t count, bool semaphore, unsigned flags)
{
	struct eventfd *e = kzalloc(sizeof(*e));
	struct file *f = e ? file_alloc(&eventfd_ops, O_RDWR | flags) : NULL;

	if (!f) {
		kfree(e);
		return NULL;
	}
	e->count = count;
	e->semaphore = semaphore;
	waitq_init(&e->wait);
	f->priv = e;
	return f;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inotify(7); see inotify.h.
 *
 * A watch joins an instance and an inode, which it keeps.  An event becomes a
 * record in the queue of each instance that watches the inode or, with a
 * name, its directory.  One mutex covers everything.
 */
#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include "kernel/fs/inotify.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/thread.h"

#define EVENTS_MAX  16384
#define WATCHES_MAX 65536
#define FLAGS       (IN_EXCL_UNLINK | IN_ONESHOT)

/* All under notify_lock. */
struct instance {
	struct list watches; /* struct watch, by of */
	struct list events;
	unsigned nr_events;
	size_t bytes; /* of all events, as read */
	int last_wd;
	struct waitq wait;
};

struct watch {
	struct list node; /* in watches */
	struct list of;
	struct instance *instance;
	struct inode *inode; /* with a reference */
	uint32_t mask;
	int wd;
};

struct event {
	struct list node;
	size_t size; /* of what follows, padded */
	struct inotify_event e;
};

static struct mutex notify_lock = MUTEX_INIT(notify_lock);
static struct list watches = LIST_INIT(watches);
uint32_t inotify_watches;
static uint32_t last_cookie; /* [a] */

static const struct file_ops inotify_ops;

uint32_t inotify_cookie(void)
{
	return __atomic_add_fetch(&last_cookie, 1, __ATOMIC_RELAXED);
}

static struct event *event_new(
    const struct inotify_event *e, const struct name *n)
{
	size_t len = n ? ALIGN_UP(n->len + 1u, sizeof(*e)) : 0;
	struct event *ev = kzalloc(sizeof(*ev) + len);

	if (!ev)
		return NULL;
	ev->size = sizeof(*e) + len;
	memcpy(&ev->e, e, sizeof(*e));
	ev->e.len = (uint32_t)len;
	if (n)
		memcpy(ev->e.name, n->s, n->len);
	return ev;
}

/* An event like the last one that waits is not queued again. */
static bool repeats(struct instance *in, const struct event *ev)
{
	struct event *last;

	if (list_empty(&in->events))
		return false;
	last = list_last(&in->events, struct event, node);
	return last->size == ev->size && !memcmp(&last->e, &ev->e, ev->size);
}

static void queue_locked(struct instance *in, int wd, uint32_t mask,
    uint32_t cookie, const struct name *n)
{
	struct inotify_event e = {.wd = wd, .mask = mask, .cookie = cookie};
	struct event *ev;

	if (in->nr_events >= EVENTS_MAX) {
		e = (struct inotify_event){.wd = -1, .mask = IN_Q_OVERFLOW};
		n = NULL;
	}
	ev = event_new(&e, n);
	if (!ev || repeats(in, ev)) {
		kfree(ev);
		return;
	}
	list_push_back(&in->events, &ev->node);
	in->nr_events++;
	in->bytes += ev->size;
	waitq_wake_all(&in->wait, POLL_IN);
}

static void watch_end_locked(struct watch *w)
{
	queue_locked(w->instance, w->wd, IN_IGNORED, 0, NULL);
	list_remove(&w->node);
	list_remove(&w->of);
	__atomic_sub_fetch(&inotify_watches, 1, __ATOMIC_RELAXED);
	inode_put(w->inode);
	kfree(w);
}

static void tell_locked(
    struct inode *i, uint32_t mask, uint32_t cookie, const struct name *n)
{
	struct watch *w, *tmp;

	list_for_each_safe (w, tmp, &watches, node) {
		if (w->inode != i || !(w->mask & mask & IN_ALL_EVENTS))
			continue;
		queue_locked(w->instance, w->wd, mask, cookie, n);
		if (w->mask & IN_ONESHOT)
			watch_end_locked(w);
	}
}

void inotify_name(
    struct inode *dir, const struct name *n, uint32_t mask, uint32_t cookie)
{
	MUTEX_GUARD(&notify_lock);
	tell_locked(dir, mask, cookie, n);
}

void inotify_inode(struct inode *i, uint32_t mask)
{
	struct watch *w, *tmp;

	MUTEX_GUARD(&notify_lock);
	tell_locked(i, mask, 0, NULL);
	if (!(mask & IN_DELETE_SELF))
		return;
	list_for_each_safe (w, tmp, &watches, node)
		if (w->inode == i)
			watch_end_locked(w);
}

void inotify_place(struct dentry *d, uint32_t mask)
{
	struct dentry *dir;
	struct name n;

	if (INODE_IS_DIR(d->inode))
		mask |= IN_ISDIR;
	dir = d->parent ? dentry_parent(d) : NULL;
	mutex_lock(&notify_lock);
	if (dir && d->hashed) {
		n = (struct name){d->name, d->len};
		tell_locked(dir->inode, mask, 0, &n);
	}
	tell_locked(d->inode, mask, 0, NULL);
	mutex_unlock(&notify_lock);
	dentry_put(dir);
}

void inotify_file(struct file *f, uint32_t mask)
{
	if (f->inode && f->dentry && !(f->flags & O_PATH))
		inotify_place(f->dentry, mask);
}

/* Take the first event if it fits; the program's memory is touched unlocked. */
static struct event *take(struct instance *in, size_t space, bool *too_big)
{
	struct event *ev;

	MUTEX_GUARD(&notify_lock);
	*too_big = false;
	if (list_empty(&in->events))
		return NULL;
	ev = list_first(&in->events, struct event, node);
	*too_big = ev->size > space;
	if (*too_big)
		return NULL;
	list_remove(&ev->node);
	in->nr_events--;
	in->bytes -= ev->size;
	return ev;
}

/* Bytes of the first events that fit; -EINVAL if not even one does. */
static ssize_t read_events(struct instance *in, struct iov_iter *it)
{
	struct event *ev;
	ssize_t done = 0;
	bool too_big;

	while ((ev = take(in, it->left, &too_big))) {
		ssize_t size = (ssize_t)ev->size;
		ssize_t r = iter_out(it, &ev->e, ev->size);
		kfree(ev);
		if (r != size)
			return done ? done : -EFAULT;
		done += size;
	}
	return done ? done : too_big ? -EINVAL : 0;
}

static ssize_t inotify_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct instance *in = f->priv;
	ssize_t r;

	(void)pos;
	for (;;) {
		r = read_events(in, it);
		if (r)
			return r;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = wait_event(
		    &in->wait, !list_empty(&in->events), DEADLINE_NEVER, true);
		if (r)
			return r;
	}
}

static unsigned inotify_poll(struct file *f, struct poll_table *pt)
{
	struct instance *in = f->priv;

	poll_add(pt, &in->wait);
	return list_empty(&in->events) ? 0 : POLL_IN;
}

static long inotify_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
	struct instance *in = f->priv;

	return cmd == FIONREAD ? put_user((int *)arg, (int)in->bytes) : -ENOTTY;
}

static void inotify_release(struct file *f)
{
	struct instance *in = f->priv;
	struct watch *w, *wtmp;
	struct event *ev, *tmp;

	mutex_lock(&notify_lock);
	list_for_each_safe (w, wtmp, &in->watches, of)
		watch_end_locked(w);
	list_for_each_safe (ev, tmp, &in->events, node)
		kfree(ev);
	mutex_unlock(&notify_lock);
	kfree(in);
}

static const struct file_ops inotify_ops = {
    .read = inotify_read,
    .write = file_no_write,
    .seek = file_no_seek,
    .poll = inotify_poll,
    .ioctl = inotify_ioctl,
    .stat = file_anonymous_stat,
    .mmap = file_no_mmap,
    .flush = file_no_flush,
    .fsync = file_no_fsync,
    .release = inotify_release,
};

struct file *inotify_create(unsigned flags)
{
	struct instance *in = kzalloc(sizeof(*in));
	struct file *f = in ? file_alloc(&inotify_ops, O_RDONLY | flags) : NULL;

	if (!f) {
		kfree(in);
		return NULL;
	}
	list_init(&in->watches);
	list_init(&in->events);
	waitq_init(&in->wait);
	f->priv = in;
	return f;
}

static int watch_new_locked(struct instance *in, struct inode *i, uint32_t mask)
{
	struct watch *w = kzalloc(sizeof(*w));

	if (!w)
		return -ENOMEM;
	if (inotify_watches >= WATCHES_MAX) {
		kfree(w);
		return -ENOSPC;
	}
	inode_ref(i);
	w->instance = in;
	w->inode = i;
	w->mask = mask;
	w->wd = ++in->last_wd;
	list_push_back(&watches, &w->node);
	list_push_back(&in->watches, &w->of);
	__atomic_add_fetch(&inotify_watches, 1, __ATOMIC_RELAXED);
	return w->wd;
}

int inotify_watch(struct file *f, struct inode *i, uint32_t mask)
{
	struct instance *in = f->priv;
	uint32_t keep = mask & (IN_ALL_EVENTS | FLAGS);
	struct watch *w;

	if (f->ops != &inotify_ops)
		return -EINVAL;
	MUTEX_GUARD(&notify_lock);
	list_for_each (w, &in->watches, of) {
		if (w->inode != i)
			continue;
		if (mask & IN_MASK_CREATE)
			return -EEXIST;
		w->mask = mask & IN_MASK_ADD ? w->mask | keep : keep;
		return w->wd;
	}
	return watch_new_locked(in, i, keep);
}

int inotify_unwatch(struct file *f, int wd)
{
	struct instance *in = f->priv;
	struct watch *w, *tmp;

	if (f->ops != &inotify_ops)
		return -EINVAL;
	MUTEX_GUARD(&notify_lock);
	list_for_each_safe (w, tmp, &in->watches, of) {
		if (w->wd == wd) {
			watch_end_locked(w);
			return 0;
		}
	}
	return -EINVAL;
}

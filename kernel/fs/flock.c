/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flock(2): advisory locks on whole files, held by open files.
 *
 * All locks are on one list; two conflict if they are on the same inode, by
 * different open files, and one is exclusive.  Other processes of the host do
 * not see them.
 */
#include <linux/fcntl.h>
#include "kernel/fs/file.h"
#include "kernel/mm/kmem.h"

/* [f] flock_lock. */
struct flock_state {
	struct list node;    /* [f] */
	struct inode *inode; /* [i] */
	struct file *file;   /* [i] no reference */
	bool exclusive;      /* [f] */
};

static struct spinlock flock_lock = SPINLOCK_INIT;
static struct list locks = LIST_INIT(locks); /* [f] */
static struct waitq changed = WAITQ_INIT(changed);

static bool conflicts_locked(const struct flock_state *s, bool exclusive)
{
	struct flock_state *o;

	list_for_each (o, &locks, node) {
		if (o->inode == s->inode && o != s &&
		    (exclusive || o->exclusive))
			return true;
	}
	return false;
}

/* Take the lock if nobody is in the way. */
static bool try(struct flock_state *s, bool exclusive)
{
	bool ok;

	spin_lock(&flock_lock);
	list_remove(&s->node);
	ok = !conflicts_locked(s, exclusive);
	if (ok) {
		s->exclusive = exclusive;
		list_push_back(&locks, &s->node);
	}
	spin_unlock(&flock_lock);
	return ok;
}

/* The state stays with the file: others may be about to lock it. */
static void unlock(struct file *f)
{
	struct flock_state *s = __atomic_load_n(&f->flock, __ATOMIC_ACQUIRE);

	if (!s)
		return;
	spin_lock(&flock_lock);
	list_remove(&s->node);
	spin_unlock(&flock_lock);
	waitq_wake_all(&changed, 0);
}

void flock_drop(struct file *f)
{
	unlock(f);
	kfree(f->flock);
}

static struct flock_state *state_of(struct file *f)
{
	struct flock_state *s = f->flock, *none = NULL;

	if (s)
		return s;
	s = kzalloc(sizeof(*s));
	if (!s)
		return NULL;
	list_init(&s->node);
	s->file = f;
	s->inode = f->inode;
	if (__atomic_compare_exchange_n(
		&f->flock, &none, s, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return s;
	kfree(s);
	return none;
}

/* As on Linux a conversion gives the old lock up first. */
int flock_set(struct file *f, int how)
{
	bool exclusive = (how & ~LOCK_NB) == LOCK_EX;
	struct flock_state *s;

	if ((how & ~LOCK_NB) == LOCK_UN) {
		unlock(f);
		return 0;
	}
	s = state_of(f);
	if (!s)
		return -ENOMEM;
	if (try(s, exclusive)) {
		waitq_wake_all(&changed, 0); /* it may have become shared */
		return 0;
	}
	waitq_wake_all(&changed, 0);
	if (how & LOCK_NB)
		return -EWOULDBLOCK;
	return wait_event(&changed, try(s, exclusive), DEADLINE_NEVER, true);
}

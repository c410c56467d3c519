/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Record locks; see record_lock.h.
 *
 * All are on one list: programs hold few.  An inode with locks is open, as
 * the last close drops them; so no references are held.
 *
 * Where the file system shows locks to others, theirs count too: a lock is
 * taken there first, and then here, where it tells the close what to drop.
 */
#include "kernel/fs/record_lock.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/thread.h"

struct held {
	struct list node;
	struct record r;
};

static struct mutex ranges_lock = MUTEX_INIT(ranges_lock);
static struct list locks = LIST_INIT(locks); /* [ranges_lock] */
static struct waitq changed = WAITQ_INIT(changed);

static bool overlap(const struct record *a, const struct record *b)
{
	return a->inode == b->inode && a->first <= b->last &&
	       b->first <= a->last;
}

static struct held *conflict_locked(const struct record *r)
{
	struct held *h;

	if (r->kind == RECORD_NONE)
		return NULL;
	list_for_each (h, &locks, node)
		if (overlap(&h->r, r) && h->r.owner != r->owner &&
		    (h->r.kind == RECORD_EXCLUSIVE ||
			r->kind == RECORD_EXCLUSIVE))
			return h;
	return NULL;
}

/* Cut r's range out of h; the part behind it goes to *spare. */
static void cut_locked(
    struct held *h, const struct record *r, struct held **spare)
{
	bool before = h->r.first<r->first, after = h->r.last> r->last;

	if (before && after) {
		struct held *tail = *spare;
		*spare = NULL;
		tail->r = h->r;
		tail->r.first = r->last + 1;
		list_push_back(&locks, &tail->node);
	}
	if (before) {
		h->r.last = r->first - 1;
	} else if (after) {
		h->r.first = r->last + 1;
	} else {
		list_remove(&h->node);
		kfree(h);
	}
}

static void apply_locked(
    const struct record *r, struct held *fresh, struct held **spare)
{
	struct held *h, *tmp;

	list_for_each_safe (h, tmp, &locks, node)
		if (h->r.owner == r->owner && overlap(&h->r, r))
			cut_locked(h, r, spare);
	if (r->kind == RECORD_NONE) {
		kfree(fresh);
		return;
	}
	fresh->r = *r;
	list_push_back(&locks, &fresh->node);
}

static bool try(const struct record *r, struct held *fresh, struct held **spare)
{
	bool ok;

	mutex_lock(&ranges_lock);
	ok = !conflict_locked(r);
	if (ok)
		apply_locked(r, fresh, spare);
	mutex_unlock(&ranges_lock);
	return ok;
}

static int set_here(const struct record *r, bool wait)
{
	struct held *fresh = kzalloc(sizeof(*fresh));
	struct held *spare = kzalloc(sizeof(*spare));
	bool ok = false;
	int err = fresh && spare ? 0 : -ENOMEM;

	if (!err) {
		ok = try(r, fresh, &spare);
		if (!ok)
			err = wait ? wait_event(&changed,
					 (ok = try(r, fresh, &spare)),
					 DEADLINE_NEVER, true)
				   : -EAGAIN;
	}
	if (!ok)
		kfree(fresh);
	else
		waitq_wake_all(&changed, 0);
	kfree(spare);
	return ok ? 0 : err;
}

int record_lock_set(struct file *f, const struct record *r, bool wait)
{
	int err = f->inode->ops->lock(f, r, wait);

	return err && err != -EOPNOTSUPP ? err : set_here(r, wait);
}

int record_lock_test(
    struct file *f, const struct record *r, struct record *conflict)
{
	struct held *h;
	int found;

	mutex_lock(&ranges_lock);
	h = conflict_locked(r);
	if (h)
		*conflict = h->r;
	mutex_unlock(&ranges_lock);
	if (h)
		return 1; /* one of ours: its owner is known */
	found = f->inode->ops->lock_test(f, r, conflict);
	return found == -EOPNOTSUPP ? 0 : found;
}

void record_lock_drop(struct file *f, const struct file *owner)
{
	struct held *h, *tmp;
	bool any = false;

	if (list_empty(&locks))
		return;
	mutex_lock(&ranges_lock);
	list_for_each_safe (h, tmp, &locks, node) {
		if (h->r.inode != f->inode || h->r.owner != owner)
			continue;
		list_remove(&h->node);
		kfree(h);
		any = true;
	}
	mutex_unlock(&ranges_lock);
	if (!any)
		return;
	f->inode->ops->unlock_all(f, owner);
	waitq_wake_all(&changed, 0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll: a set of files and the list of those that may be ready.
 *
 * An item waits on its file's queues for as long as it is in the set.  A
 * wake-up, possibly from an interrupt, only moves the item to the ready list;
 * epoll_wait asks the file what is really the case.  A level-triggered item
 * that was reported stays on the list, to be asked again next time.
 *
 * Items hold no reference on their file: its last close takes them out,
 * through file_epoll_forget.
 *
 * Lock order: forget_lock, ep->lock, then the spin locks.
 */
#include <asm/stat.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include "kernel/fs/epoll.h"
#include "kernel/fs/file.h"
#include "kernel/lib/string.h"
#include "kernel/lib/treap.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/thread.h"

#define QUEUES 2
#define ALWAYS (POLL_ERR | POLL_HUP)

struct epoll {
	struct mutex lock;
	struct treap items;         /* [lock] by fd */
	struct spinlock ready_lock; /* with interrupts off */
	struct list ready;          /* [ready_lock] struct epitem */
	struct waitq wait;
	bool has_epoll; /* [forget_lock] an epoll is in the set */
};

struct epitem {
	struct treap_node node; /* [ep->lock] */
	struct list ready_node; /* [ep->ready_lock] */
	struct list file_node;  /* [file->epolls_lock] */
	struct file *file;
	struct epoll *ep;
	struct epoll_event64 ev; /* [ep->lock] */
	struct poll_table pt;
	struct {
		struct waiter w;
		struct waitq *q;
	} reg[QUEUES]; /* [ep->lock] */
	unsigned nr_reg;
};

static struct mutex forget_lock = MUTEX_INIT(forget_lock);
static const struct file_ops epoll_ops;

bool file_is_epoll(const struct file *f)
{
	return f->ops == &epoll_ops;
}

static void make_ready(struct epitem *it)
{
	struct epoll *ep = it->ep;
	unsigned long flags = spin_lock_irq(&ep->ready_lock);

	if (list_empty(&it->ready_node))
		list_push_back(&ep->ready, &it->ready_node);
	spin_unlock_irq(&ep->ready_lock, flags);
	waitq_wake_all(&ep->wait, POLL_IN);
}

static void item_wake(struct waiter *w, unsigned key)
{
	struct epitem *it = (struct epitem *)w->thread;

	if (key && !(key & (it->ev.events | ALWAYS | POLL_RDHUP)))
		return;
	make_ready(it);
}

/* Register on a queue unless that is done already. */
static void item_register(struct poll_table *pt, struct waitq *q)
{
	struct epitem *it = container_of(pt, struct epitem, pt);

	for (unsigned i = 0; i < it->nr_reg; i++)
		if (it->reg[i].q == q)
			return;
	if (it->nr_reg == QUEUES) { /* a socket's next stream */
		it->nr_reg--;
		waitq_remove(it->reg[it->nr_reg].q, &it->reg[it->nr_reg].w);
	}
	waiter_init(&it->reg[it->nr_reg].w);
	it->reg[it->nr_reg].w.wake = item_wake;
	it->reg[it->nr_reg].w.thread = (struct thread *)it;
	it->reg[it->nr_reg].q = q;
	waitq_add(q, &it->reg[it->nr_reg++].w);
}

static unsigned item_poll(struct epitem *it)
{
	return it->file->ops->poll(it->file, &it->pt) &
	       ((it->ev.events & 0xffff) | ALWAYS);
}

static struct epitem *find_locked(
    struct epoll *ep, int fd, const struct file *f)
{
	struct treap_node *n = treap_ceil(&ep->items, (uint64_t)fd);

	for (; n && n->key == (uint64_t)fd; n = treap_next(n)) {
		struct epitem *it = container_of(n, struct epitem, node);
		if (it->file == f)
			return it;
	}
	return NULL;
}

static void item_remove_locked(struct epitem *it)
{
	struct epoll *ep = it->ep;
	unsigned long flags;

	for (unsigned i = 0; i < it->nr_reg; i++)
		waitq_remove(it->reg[i].q, &it->reg[i].w);
	flags = spin_lock_irq(&ep->ready_lock);
	list_remove(&it->ready_node);
	spin_unlock_irq(&ep->ready_lock, flags);
	treap_remove(&ep->items, &it->node);
	spin_lock(&it->file->epolls_lock);
	list_remove(&it->file_node);
	spin_unlock(&it->file->epolls_lock);
	kfree(it);
}

/* A file's last reference is gone. */
static void forget(struct file *f)
{
	MUTEX_GUARD(&forget_lock);
	while (!list_empty(&f->epolls)) {
		struct epitem *it =
		    list_first(&f->epolls, struct epitem, file_node);
		struct epoll *ep = it->ep;
		mutex_lock(&ep->lock);
		item_remove_locked(it);
		mutex_unlock(&ep->lock);
	}
}

static int item_add_locked(
    struct epoll *ep, int fd, struct file *f, const struct epoll_event64 *ev)
{
	struct epitem *it;

	if (find_locked(ep, fd, f))
		return -EEXIST;
	it = kzalloc(sizeof(*it));
	if (!it)
		return -ENOMEM;
	list_init(&it->ready_node);
	list_init(&it->file_node);
	it->file = f;
	it->ep = ep;
	it->ev = *ev;
	it->pt.add = item_register;
	treap_insert(&ep->items, &it->node, (uint64_t)fd);
	spin_lock(&f->epolls_lock);
	list_push_back(&f->epolls, &it->file_node);
	spin_unlock(&f->epolls_lock);
	if (item_poll(it))
		make_ready(it);
	return 0;
}

static int control_locked(struct epoll *ep, int op, int fd, struct file *f,
    const struct epoll_event64 *ev)
{
	struct epitem *it;

	if (op == EPOLL_CTL_ADD)
		return item_add_locked(ep, fd, f, ev);
	it = find_locked(ep, fd, f);
	if (!it)
		return -ENOENT;
	if (op == EPOLL_CTL_DEL) {
		item_remove_locked(it);
		return 0;
	}
	if (it->ev.events & EPOLLEXCLUSIVE)
		return -EINVAL;
	it->ev = *ev;
	/* A wake-up sees the new events, or we see what it is about. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (item_poll(it))
		make_ready(it);
	return 0;
}

/* One level of nesting: `target` goes into ep.  forget_lock is held. */
static int nest(struct epoll *ep, struct file *target)
{
	struct epoll *inner = target->priv;

	if (inner->has_epoll)
		return -ELOOP;
	ep->has_epoll = true;
	return 0;
}

int epoll_control(struct file *epf, int op, int fd, struct file *target,
    const struct epoll_event64 *ev)
{
	struct epoll *ep = epf->priv;
	int err = 0;

	if (op != EPOLL_CTL_ADD && op != EPOLL_CTL_DEL && op != EPOLL_CTL_MOD)
		return -EINVAL;
	if (epf == target)
		return -EINVAL;
	if (target->ops->poll == file_always_ready)
		return -EPERM; /* regular files and the like */
	if (file_is_epoll(target) && op == EPOLL_CTL_ADD) {
		mutex_lock(&forget_lock);
		err = nest(ep, target);
		mutex_unlock(&forget_lock);
	}
	if (err)
		return err;
	MUTEX_GUARD(&ep->lock);
	return control_locked(ep, op, fd, target, ev);
}

static struct epitem *pop_ready(struct epoll *ep)
{
	unsigned long flags = spin_lock_irq(&ep->ready_lock);
	struct epitem *it = NULL;

	if (!list_empty(&ep->ready)) {
		it = list_first(&ep->ready, struct epitem, ready_node);
		list_remove(&it->ready_node);
	}
	spin_unlock_irq(&ep->ready_lock, flags);
	return it;
}

/* Keep an item, unless a wake-up has put it on the ready list meanwhile. */
static void keep(struct epoll *ep, struct list *items, struct epitem *it)
{
	unsigned long flags = spin_lock_irq(&ep->ready_lock);

	if (list_empty(&it->ready_node))
		list_push_back(items, &it->ready_node);
	spin_unlock_irq(&ep->ready_lock, flags);
}

/* Give items their places on the ready list back.  Others may have found it
 * empty and gone to sleep. */
static void push_back(struct epoll *ep, struct list *items)
{
	unsigned long flags;

	if (list_empty(items))
		return;
	flags = spin_lock_irq(&ep->ready_lock);
	list_splice(&ep->ready, items);
	spin_unlock_irq(&ep->ready_lock, flags);
	waitq_wake_all(&ep->wait, POLL_IN);
}

/* The item that is ready since the latest, or NULL. */
static struct epitem *last_ready(struct epoll *ep)
{
	unsigned long flags = spin_lock_irq(&ep->ready_lock);
	struct epitem *it = NULL;

	if (!list_empty(&ep->ready))
		it = list_last(&ep->ready, struct epitem, ready_node);
	spin_unlock_irq(&ep->ready_lock, flags);
	return it;
}

/* Report what is ready, each item once: one that a wake-up queues again
 * meanwhile is for the next call.  Items that stay are collected in `again`: on
 * their own list they also count as queued for make_ready. */
static int collect_locked(struct epoll *ep, struct epoll_event64 *user, int max)
{
	struct list again = LIST_INIT(again);
	struct epitem *it = NULL, *last = last_ready(ep);
	int n = 0;

	while (n < max && it != last && (it = pop_ready(ep))) {
		struct epoll_event64 out = {item_poll(it), it->ev.data};
		if (!out.events)
			continue;
		if (copy_out(&user[n], &out, sizeof(out))) {
			keep(ep, &again, it);
			n = n ? n : -EFAULT;
			break;
		}
		n++;
		if (it->ev.events & EPOLLONESHOT)
			it->ev.events &= EPOLLET | EPOLLONESHOT;
		else if (!(it->ev.events & EPOLLET))
			keep(ep, &again, it);
	}
	push_back(ep, &again);
	return n;
}

int epoll_collect(
    struct file *f, struct epoll_event64 *user, int max, uint64_t deadline)
{
	struct epoll *ep = f->priv;
	int n, err = 0;

	for (;;) {
		mutex_lock(&ep->lock);
		n = list_empty(&ep->ready) ? 0 : collect_locked(ep, user, max);
		mutex_unlock(&ep->lock);
		if (n || deadline == 0 || err == -ETIMEDOUT)
			return n;
		if (err)
			return -EINTR;
		err = wait_event(
		    &ep->wait, !list_empty(&ep->ready), deadline, true);
	}
}

static unsigned epoll_poll(struct file *f, struct poll_table *pt)
{
	struct epoll *ep = f->priv;

	poll_add(pt, &ep->wait);
	return list_empty(&ep->ready) ? 0 : POLL_IN;
}

static void epoll_release(struct file *f)
{
	struct epoll *ep = f->priv;
	struct treap_node *n;

	mutex_lock(&forget_lock);
	mutex_lock(&ep->lock);
	while ((n = treap_first(&ep->items)))
		item_remove_locked(container_of(n, struct epitem, node));
	mutex_unlock(&ep->lock);
	mutex_unlock(&forget_lock);
	kfree(ep);
}

static const struct file_ops epoll_ops = {
    .read = file_no_read,
    .write = file_no_write,
    .seek = file_noop_seek,
    .poll = epoll_poll,
    .ioctl = file_no_ioctl,
    .stat = file_anonymous_stat,
    .mmap = file_no_mmap,
    .flush = file_no_flush,
    .fsync = file_no_fsync,
    .release = epoll_release,
};

struct file *epoll_create_file(void)
{
	struct epoll *ep = kzalloc(sizeof(*ep));
	struct file *f = ep ? file_alloc(&epoll_ops, O_RDWR) : NULL;

	if (!f) {
		kfree(ep);
		return NULL;
	}
	mutex_init(&ep->lock);
	list_init(&ep->ready);
	waitq_init(&ep->wait);
	f->priv = ep;
	file_epoll_forget = forget;
	return f;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * POSIX message queues; see mqueue.h.
 *
 * A queue lives as long as it has a name or somebody has it open.  Messages
 * are kept in order of priority, then age.  One mutex covers all queues: a
 * message is copied from and to the program outside of it.
 */
#include <asm/stat.h>
#include <linux/fcntl.h>
#include "kernel/fs/mqueue.h"
#include "kernel/fs/file.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/process.h"
#include "kernel/sched/thread.h"

#define DEFAULT_MSGS 10
#define DEFAULT_SIZE 8192
#define HARD_MSGS    65536 /* Linux's limits for root */
#define HARD_SIZE    (16 * MIB)
#define QUEUES_MAX   256
#define PRIO_MAX     32768
#define MSG_OVERHEAD 48 /* what Linux counts for a message */

struct message {
	struct list node;
	size_t len;
	unsigned prio;
	char text[];
};

/* All under mq_lock, but for what does not change. */
struct mqueue {
	struct list node;
	char *name; /* NULL: unlinked */
	unsigned refs;
	long max_msgs, max_size; /* [i] */
	uint32_t mode;           /* [i] */
	struct list msgs;
	long nr, bytes;
	unsigned receivers; /* that wait */
	struct waitq wait;
	bool registered;
	struct mq_notify notify;
	struct file *notify_file; /* that registered */
	struct stamp made, touched;
};

static struct mutex mq_lock = MUTEX_INIT(mq_lock);
static struct list queues = LIST_INIT(queues);
static unsigned nr_queues;
static uint64_t bytes_used;
uint64_t mq_bytes_max = 819200;

static const struct file_ops mq_ops;

static struct mqueue *mq_of(struct file *f)
{
	return f->ops == &mq_ops ? f->priv : NULL;
}

static uint64_t footprint(long msgs, long size)
{
	return (uint64_t)msgs * ((uint64_t)size + MSG_OVERHEAD);
}

static void put_locked(struct mqueue *q)
{
	struct message *m, *tmp;

	if (--q->refs)
		return;
	list_for_each_safe (m, tmp, &q->msgs, node)
		kfree(m);
	bytes_used -= footprint(q->max_msgs, q->max_size);
	kfree(q);
}

static struct mqueue *find_locked(const char *name)
{
	struct mqueue *q;

	list_for_each (q, &queues, node)
		if (!strcmp(q->name, name))
			return q;
	return NULL;
}

static int create_locked(const struct mq_open *how, struct mqueue **out)
{
	long msgs = how->attr ? how->attr->mq_maxmsg : DEFAULT_MSGS;
	long size = how->attr ? how->attr->mq_msgsize : DEFAULT_SIZE;
	size_t len = strlen(how->name) + 1;
	struct mqueue *q;

	if (msgs <= 0 || size <= 0 || msgs > HARD_MSGS ||
	    size > (long)HARD_SIZE)
		return -EINVAL;
	if (nr_queues >= QUEUES_MAX)
		return -ENOSPC;
	if (bytes_used + footprint(msgs, size) > mq_bytes_max)
		return -EMFILE;
	q = kzalloc(sizeof(*q) + len);
	if (!q)
		return -ENOMEM;
	q->name = (char *)(q + 1);
	memcpy(q->name, how->name, len);
	q->max_msgs = msgs;
	q->max_size = size;
	q->mode = how->mode;
	q->refs = 1;
	q->made = q->touched = stamp_now();
	list_init(&q->msgs);
	waitq_init(&q->wait);
	list_push_back(&queues, &q->node);
	nr_queues++;
	bytes_used += footprint(msgs, size);
	*out = q;
	return 0;
}

static int open_locked(const struct mq_open *how, struct mqueue **q)
{
	*q = find_locked(how->name);
	if (!*q)
		return how->flags & O_CREAT ? create_locked(how, q) : -ENOENT;
	return how->flags & O_CREAT && how->flags & O_EXCL ? -EEXIST : 0;
}

int mq_open(const struct mq_open *how, struct file **f)
{
	struct mqueue *q;
	int err;

	if ((how->flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	*f = file_alloc(&mq_ops, how->flags & (O_ACCMODE | O_NONBLOCK));
	if (!*f)
		return -ENOMEM;
	mutex_lock(&mq_lock);
	err = open_locked(how, &q);
	if (!err) {
		q->refs++;
		(*f)->priv = q;
	}
	mutex_unlock(&mq_lock);
	if (err)
		file_put(*f);
	return err;
}

int mq_unlink(const char *name)
{
	struct mqueue *q;

	MUTEX_GUARD(&mq_lock);
	q = find_locked(name);
	if (!q)
		return -ENOENT;
	list_remove(&q->node);
	nr_queues--;
	q->name = NULL;
	put_locked(q);
	return 0;
}

int mq_attr(struct file *f, const struct mq_attr *new, struct mq_attr *old)
{
	struct mqueue *q = mq_of(f);

	if (!q)
		return -EBADF;
	if (new &&new->mq_flags & ~(long)O_NONBLOCK)
		return -EINVAL;
	MUTEX_GUARD(&mq_lock);
	*old = (struct mq_attr){
	    .mq_flags = f->flags & O_NONBLOCK,
	    .mq_maxmsg = q->max_msgs,
	    .mq_msgsize = q->max_size,
	    .mq_curmsgs = q->nr,
	};
	if (new)
		f->flags = (f->flags & ~(unsigned)O_NONBLOCK) |
			   (unsigned)new->mq_flags;
	return 0;
}

/* The registration is over, because of a message or without one. */
static void unregister_locked(struct mqueue *q, uint8_t why)
{
	struct mq_notify *n = &q->notify;

	if (q->registered && n->socket) {
		n->cookie[MQ_COOKIE - 1] = why;
		n->tell(n->socket, n->cookie, MQ_COOKIE);
		file_put(n->socket);
	}
	q->registered = false;
	n->socket = NULL;
}

int mq_notify(struct file *f, const struct mq_notify *n)
{
	struct mqueue *q = mq_of(f);

	if (!q)
		return -EBADF;
	MUTEX_GUARD(&mq_lock);
	if (n && q->registered)
		return -EBUSY;
	unregister_locked(q, MQ_REMOVED);
	if (!n)
		return 0;
	q->registered = true;
	q->notify_file = f;
	q->notify = *n;
	if (n->socket)
		file_ref(n->socket);
	return 0;
}

/* The queue was empty and nobody waits: tell who registered, once. */
static void announce_locked(struct mqueue *q)
{
	struct signal_info info = {.code = SI_MESGQ_CODE,
	    .pid = PROCESS_PID,
	    .value = q->notify.value};

	if (!q->registered || q->nr != 1 || q->receivers)
		return;
	unregister_locked(q, MQ_WOKEN);
	if (q->notify.signo)
		(void)signal_send_process(q->notify.signo, &info);
}

static void insert_locked(struct mqueue *q, struct message *m)
{
	struct list *at = q->msgs.prev;

	while (at != &q->msgs &&
	       list_entry(at, struct message, node)->prio < m->prio)
		at = at->prev;
	list_push_front(at, &m->node);
	q->nr++;
	q->bytes += (long)m->len;
	q->touched = stamp_now();
	announce_locked(q);
	waitq_wake_all(&q->wait, POLL_IN);
}

/* Sleep until the queue changes; the lock is dropped meanwhile. */
static int wait_locked(struct mqueue *q, uint64_t deadline)
{
	struct waiter w;
	int err;

	waiter_init(&w);
	waitq_add(&q->wait, &w);
	mutex_unlock(&mq_lock);
	err = thread_sleep(deadline, true);
	mutex_lock(&mq_lock);
	waitq_remove(&q->wait, &w);
	return err;
}

int mq_send(struct file *f, const char *user, size_t len, unsigned prio,
    uint64_t deadline)
{
	struct mqueue *q = mq_of(f);
	struct message *m;
	int err;

	if (prio >= PRIO_MAX)
		return -EINVAL;
	if (!q || (f->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (len > (size_t)q->max_size)
		return -EMSGSIZE;
	m = kmalloc(sizeof(*m) + len);
	if (!m)
		return -ENOMEM;
	m->len = len;
	m->prio = prio;
	err = copy_in(m->text, user, len);
	mutex_lock(&mq_lock);
	while (!err && q->nr >= q->max_msgs)
		err =
		    f->flags & O_NONBLOCK ? -EAGAIN : wait_locked(q, deadline);
	if (!err)
		insert_locked(q, m);
	mutex_unlock(&mq_lock);
	if (err)
		kfree(m);
	return err;
}

static int take_locked(
    struct file *f, struct mqueue *q, struct message **m, uint64_t deadline)
{
	int err = 0;

	q->receivers++;
	while (!err && !q->nr)
		err =
		    f->flags & O_NONBLOCK ? -EAGAIN : wait_locked(q, deadline);
	q->receivers--;
	if (err)
		return err;
	*m = list_first(&q->msgs, struct message, node);
	list_remove(&(*m)->node);
	q->nr--;
	q->bytes -= (long)(*m)->len;
	waitq_wake_all(&q->wait, POLL_OUT);
	return 0;
}

ssize_t mq_receive(
    struct file *f, char *user, size_t len, unsigned *prio, uint64_t deadline)
{
	struct mqueue *q = mq_of(f);
	struct message *m;
	ssize_t r;

	if (!q || (f->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (len < (size_t)q->max_size)
		return -EMSGSIZE;
	mutex_lock(&mq_lock);
	r = take_locked(f, q, &m, deadline);
	mutex_unlock(&mq_lock);
	if (r)
		return r;
	r = copy_out(user, m->text, m->len) ? -EFAULT : (ssize_t)m->len;
	*prio = m->prio;
	kfree(m);
	return r;
}

static unsigned mq_poll(struct file *f, struct poll_table *pt)
{
	struct mqueue *q = f->priv;

	poll_add(pt, &q->wait);
	MUTEX_GUARD(&mq_lock);
	return (q->nr ? POLL_IN : 0) | (q->nr < q->max_msgs ? POLL_OUT : 0);
}

static int mq_stat(struct file *f, struct stat *st)
{
	struct mqueue *q = f->priv;

	memset(st, 0, sizeof(*st));
	st->st_mode = 0100000 | q->mode;
	st->st_nlink = q->name ? 1 : 0;
	st->st_size = 80; /* Linux's: of the line that a read would give */
	st->st_blksize = PAGE_SIZE;
	st->st_atime = st->st_ctime = (unsigned long)q->made.sec;
	st->st_mtime = (unsigned long)q->touched.sec;
	return 0;
}

/* Closing any descriptor of the registered file ends the registration. */
static int mq_flush(struct file *f)
{
	struct mqueue *q = f->priv;

	MUTEX_GUARD(&mq_lock);
	if (q->registered && q->notify_file == f)
		unregister_locked(q, MQ_REMOVED);
	return 0;
}

static void mq_release(struct file *f)
{
	if (!f->priv)
		return;
	MUTEX_GUARD(&mq_lock);
	put_locked(f->priv);
}

static const struct file_ops mq_ops = {
    .read = file_no_read,
    .write = file_no_write,
    .seek = file_noop_seek,
    .poll = mq_poll,
    .ioctl = file_no_ioctl,
    .stat = mq_stat,
    .mmap = file_no_mmap,
    .flush = mq_flush,
    .fsync = file_no_fsync,
    .release = mq_release,
};

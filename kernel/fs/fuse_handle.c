/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FUSE file handles.
 *
 * The handle of a file opened for nothing but reading is shared: as long as
 * the inode's attributes are valid, further opens take it without a request,
 * and when nobody uses it any more it stays for at most a second.  All others
 * belong to one open file and are released with it.  RELEASE and FORGET are
 * sent without waiting for an answer.
 *
 * What is to be done later is done by one thread, started when it is first
 * needed; where that is not possible it is done at once.
 */
#include <linux/fcntl.h>
#include "kernel/fs/fuse.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/thread.h"

#define KEPT_HERE                                                              \
	(unsigned)(O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC | O_DIRECT |        \
		   O_NOFOLLOW | O_PATH)

static struct waitq worker_wait = WAITQ_INIT(worker_wait);
static uint32_t worker_wanted, worker_runs; /* [a] */

/* RELEASE h, which nobody uses and no list holds. */
static int send_release(struct fuse_conn *c, struct fuse_handle *h)
{
	struct fuse_release_in in = {.fh = h->fh, .flags = h->oflags};
	struct fuse_call call = {
	    .opcode = h->dir ? FUSE_RELEASEDIR : FUSE_RELEASE,
	    .nodeid = h->nodeid,
	    .in = {{&in, sizeof(in)}},
	};
	int err = fuse_send(c, &call);

	if (!err)
		kfree(h);
	return err;
}

/* Put h where the worker finds it. */
static void idle_locked(struct fuse_conn *c, struct fuse_handle *h)
{
	h->idle_since = clock_monotonic();
	list_push_back(&c->idle, &h->idle);
}

static void release(struct fuse_conn *c, struct fuse_handle *h)
{
	if (h->plain)
		release(c, h->plain);
	h->plain = NULL;

	if (!send_release(c, h))
		return;
	spin_lock(&c->lock); /* no memory: later */
	idle_locked(c, h);
	spin_unlock(&c->lock);
}

/* The oldest idle handle that has been so since before `before`. */
static struct fuse_handle *take_idle(struct fuse_conn *c, uint64_t before)
{
	struct fuse_handle *h = NULL;

	spin_lock(&c->lock);
	if (!list_empty(&c->idle)) {
		h = list_first(&c->idle, struct fuse_handle, idle);
		if (h->idle_since > before) {
			h = NULL;
		} else {
			list_remove(&h->idle);
			if (h->fi && h->fi->ro == h)
				h->fi->ro = NULL;
			h->fi = NULL;
		}
	}
	spin_unlock(&c->lock);
	return h;
}

bool fuse_work_now(struct fuse_conn *c, uint64_t idle_before)
{
	bool tidy = fuse_tidy(c);
	struct fuse_handle *h;

	while ((h = take_idle(c, idle_before))) {
		if (!send_release(c, h))
			continue;
		release(c, h);
		break;
	}
	fuse_forget_all(c);
	return !list_empty(&c->idle) || !tidy;
}

static void worker(void *arg)
{
	(void)arg;
	for (;;) {
		struct fuse_conn *c;
		uint64_t until, now;

		(void)wait_event(&worker_wait,
		    __atomic_load_n(&worker_wanted, __ATOMIC_ACQUIRE),
		    DEADLINE_NEVER, false);
		until = clock_monotonic() + FUSE_IDLE_NS / 2;
		while ((now = clock_monotonic()) < until)
			(void)thread_sleep(until, false);
		__atomic_store_n(&worker_wanted, 0, __ATOMIC_RELEASE);
		list_for_each (c, &fuse_conns, node)
			if (fuse_work_now(c, now - FUSE_IDLE_NS / 2))
				worker_wanted = 1;
	}
}

void fuse_work(struct fuse_conn *c)
{
	if (!__atomic_exchange_n(&worker_runs, 1, __ATOMIC_ACQ_REL) &&
	    thread_spawn_kernel("fuse", worker, NULL)) {
		__atomic_store_n(&worker_runs, 0, __ATOMIC_RELEASE);
		(void)fuse_work_now(c, UINT64_MAX);
		return;
	}
	if (!__atomic_exchange_n(&worker_wanted, 1, __ATOMIC_ACQ_REL))
		waitq_wake_all(&worker_wait, 0);
}

static bool writable(unsigned flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

static bool shareable(const struct fuse_handle *h)
{
	return !h->dir && !writable(h->oflags) &&
	       !(h->flags & (FOPEN_DIRECT_IO | FOPEN_NONSEEKABLE));
}

/* The shared handle with a reference, if it may still be used. */
static struct fuse_handle *get_shared(
    struct fuse_conn *c, struct fuse_inode *fi, unsigned oflags)
{
	struct fuse_handle *h;

	if (!fi->ro || !fuse_attr_valid(&fi->i))
		return NULL;
	spin_lock(&c->lock);
	h = fi->ro;
	if (h && h->oflags != oflags)
		h = NULL;
	if (h && h->refs++ == 0)
		list_remove(&h->idle);
	spin_unlock(&c->lock);
	return h;
}

/* Make h the shared handle of its inode, instead of an older one. */
static void share(struct fuse_conn *c, struct fuse_handle *h)
{
	struct fuse_handle *old;

	spin_lock(&c->lock);
	old = h->fi->ro;
	h->fi->ro = h;
	if (old && old->refs)
		old = NULL; /* its last user releases it */
	if (old)
		list_remove(&old->idle);
	spin_unlock(&c->lock);
	if (old)
		release(c, old);
}

void fuse_handle_put(struct fuse_conn *c, struct fuse_handle *h)
{
	bool keep = false, last;

	spin_lock(&c->lock);
	last = --h->refs == 0;
	if (last && h->fi->ro == h) {
		keep = !c->dead;
		if (keep)
			idle_locked(c, h);
		else
			h->fi->ro = NULL;
	}
	spin_unlock(&c->lock);
	if (keep)
		fuse_work(c);
	else if (last)
		release(c, h);
}

void fuse_handles_drop(struct fuse_conn *c, struct fuse_inode *fi)
{
	struct fuse_handle *h;

	spin_lock(&c->lock);
	h = fi->ro;
	fi->ro = NULL;
	if (h)
		list_remove(&h->idle);
	spin_unlock(&c->lock);
	if (h) {
		h->fi = NULL;
		release(c, h);
	}
}

static struct fuse_handle *handle_new(
    struct inode *i, unsigned flags, const struct fuse_open_out *out)
{
	struct fuse_handle *h = kzalloc(sizeof(*h));

	if (!h)
		return NULL;
	list_init(&h->idle);
	h->fh = out->fh;
	h->refs = 1;
	h->flags = out->open_flags;
	h->oflags = flags & ~KEPT_HERE & ~(unsigned)O_TRUNC;
	h->dir = INODE_IS_DIR(i);
	h->fi = fuse_inode(i);
	h->nodeid = fuse_nodeid(i);
	return h;
}

static int file_of(
    struct inode *i, unsigned flags, struct fuse_handle *h, struct file **f)
{
	*f = inode_file(i, h->dir ? &fuse_dir_ops : &fuse_file_ops, flags);
	if (!*f) {
		fuse_handle_put(fuse_conn(i), h);
		return -ENOMEM;
	}
	(*f)->priv = h;
	if (h->flags & FOPEN_NONSEEKABLE)
		(*f)->seekable = false;
	return 0;
}

int fuse_file(struct inode *i, unsigned flags, const struct fuse_open_out *out,
    struct file **f)
{
	struct fuse_handle *h = handle_new(i, flags, out);

	if (!h)
		return -ENOMEM; /* the server keeps a handle too many */
	if (!h->dir && !(h->flags & FOPEN_KEEP_CACHE))
		pagecache_invalidate(&i->cache, true);
	if (shareable(h))
		share(fuse_conn(i), h);
	return file_of(i, flags, h, f);
}

static int open_call(struct inode *i, unsigned flags, struct fuse_open_out *out)
{
	struct fuse_conn *c = fuse_conn(i);
	struct fuse_open_in in = {.flags = flags & ~KEPT_HERE};
	struct fuse_call call = {
	    .opcode = INODE_IS_DIR(i) ? FUSE_OPENDIR : FUSE_OPEN,
	    .nodeid = fuse_nodeid(i),
	    .in = {{&in, sizeof(in)}},
	    .out = out,
	    .out_size = sizeof(*out),
	};
	ssize_t n;

	if (!(c->flags & FUSE_ATOMIC_O_TRUNC))
		in.flags &= ~(unsigned)O_TRUNC;
	if (flags & O_TRUNC)
		fuse_attr_stale(i);
	n = fuse_call(c, &call);
	return n < 0 ? (int)n : 0;
}

/* Where O_APPEND was taken back, the server has to forget it, too: its
 * pwrite() appends whatever the position. */
int fuse_write_fh(struct file *f, uint64_t *fh)
{
	struct fuse_conn *c = fuse_conn(f->inode);
	struct fuse_handle *h = fuse_handle(f), *new;
	unsigned flags = h->oflags & ~(unsigned)O_APPEND;
	struct fuse_open_out out;
	int err;

	*fh = h->fh;
	if (flags == h->oflags || f->flags & O_APPEND)
		return 0;
	if (!__atomic_load_n(&h->plain, __ATOMIC_ACQUIRE)) {
		err = open_call(f->inode, flags, &out);
		if (err)
			return err;
		new = handle_new(f->inode, flags, &out);
		if (!new)
			return -ENOMEM; /* as in fuse_file() */
		spin_lock(&c->lock);
		if (!h->plain) {
			__atomic_store_n(&h->plain, new, __ATOMIC_RELEASE);
			new = NULL;
		}
		spin_unlock(&c->lock);
		if (new)
			release(c, new);
	}
	*fh = h->plain->fh;
	return 0;
}

static int truncated(struct inode *i, struct file *f)
{
	const struct setattr s = {.valid = SET_SIZE};

	if (!(fuse_conn(i)->flags & FUSE_ATOMIC_O_TRUNC))
		return fuse_setattr(i, f, &s);
	fuse_attr_stale(i);
	fuse_truncated(i, 0);
	return 0;
}

int fuse_open(struct inode *i, unsigned flags, struct file **f)
{
	struct fuse_handle *h;
	struct fuse_open_out out;
	int err;

	if (inode_type(i) == 0020000)
		return device_open(i, flags, f);
	if (!INODE_IS_REG(i) && !INODE_IS_DIR(i))
		return -ENXIO;
	if (!writable(flags) && !(flags & O_TRUNC) && INODE_IS_REG(i)) {
		h = get_shared(fuse_conn(i), fuse_inode(i), flags & ~KEPT_HERE);
		if (h)
			return file_of(i, flags, h, f);
	}
	err = open_call(i, flags, &out);
	if (!err)
		err = fuse_file(i, flags, &out, f);
	if (!err && flags & O_TRUNC) {
		err = truncated(i, *f);
		if (err)
			file_put(*f);
	}
	return err;
}

int fuse_flush(struct file *f)
{
	struct fuse_conn *c = fuse_conn(f->inode);
	struct fuse_flush_in in = {.fh = fuse_handle(f)->fh};
	struct fuse_call call = {
	    .opcode = FUSE_FLUSH,
	    .nodeid = fuse_nodeid(f->inode),
	    .in = {{&in, sizeof(in)}},
	};
	ssize_t n = inode_sync_maps(f->inode);

	if (n || !writable(f->flags) || c->missing & 1ull << FUSE_FLUSH)
		return (int)n;
	n = fuse_call(c, &call);
	return n == -ENOSYS || n >= 0 ? 0 : (int)n;
}

int fuse_fsync(struct file *f, bool data_only)
{
	struct fuse_handle *h = fuse_handle(f);
	struct fuse_fsync_in in = {.fh = h->fh, .fsync_flags = data_only};
	struct fuse_call call = {
	    .opcode = h->dir ? FUSE_FSYNCDIR : FUSE_FSYNC,
	    .nodeid = fuse_nodeid(f->inode),
	    .in = {{&in, sizeof(in)}},
	};
	struct fuse_conn *c = fuse_conn(f->inode);
	ssize_t n = inode_sync_maps(f->inode);

	if (n || c->missing & 1ull << call.opcode)
		return (int)n;
	n = fuse_call(c, &call);
	return n == -ENOSYS || n >= 0 ? 0 : (int)n;
}

void fuse_file_release(struct file *f)
{
	fuse_handle_put(fuse_conn(f->inode), fuse_handle(f));
	inode_file_release(f);
}

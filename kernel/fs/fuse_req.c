/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FUSE requests: sending, waiting, and what all replies have in common.
 *
 * A request is one block of kernel memory: the record, the bytes for the
 * server, and room for its reply.  A waiting caller copies the reply out and
 * frees it; a request without a waiter is put on conn->done when it comes
 * back, since that may be in an interrupt, and freed by fuse_tidy().
 *
 * A request that was in flight when the connection died is never freed: the
 * server may still write to it.
 */
#include "kernel/fs/fuse.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/page.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/process.h"
#include "kernel/sched/thread.h"

static_assert(sizeof(struct fuse_in_header) == 40, "protocol");
static_assert(sizeof(struct fuse_out_header) == 16, "protocol");

#define ERROR_MAX 511

struct fuse_req {
	struct list node;      /* [conn] inflight, done or waiting */
	struct thread *waiter; /* [conn] or NULL */
	uint64_t unique;
	uint32_t written; /* [conn] what the device says */
	int error;        /* [conn] the connection died */
	bool done;        /* [conn] */
	bool background;
	enum fuse_queue queue;
	size_t in_len, out_len;
	struct fuse_in_header *in;
	struct fuse_out_header *out;
	char data[];
};

struct list fuse_conns = LIST_INIT(fuse_conns);

static struct fuse_req *req_alloc(const struct fuse_call *call)
{
	size_t n = sizeof(struct fuse_in_header), in_len, out_len = 0, sent;
	struct fuse_req *r;

	for (unsigned i = 0; i < ARRAY_LEN(call->in); i++)
		n += call->in[i].n;
	in_len = ALIGN_UP(n, 8ul);
	if (call->opcode != FUSE_FORGET && call->opcode != FUSE_BATCH_FORGET)
		out_len = sizeof(struct fuse_out_header) + call->out_size;
	r = kzalloc(sizeof(*r) + in_len + out_len);
	if (!r)
		return NULL;
	list_init(&r->node);
	r->queue = FUSE_QUEUE_REQUESTS;
	r->in_len = n;
	r->out_len = out_len;
	r->in = (void *)r->data;
	r->out = (void *)(r->data + in_len);
	r->in->opcode = call->opcode;
	r->in->nodeid = call->nodeid;
	r->in->pid = PROCESS_PID;
	r->in->uid = call->uid;
	r->in->gid = call->gid;
	sent = 0;
	for (unsigned i = 0; !call->sg_in && i < call->nr_sg; i++)
		sent += call->sg[i].len;
	r->in->len = (uint32_t)(n + sent);
	n = sizeof(struct fuse_in_header);
	for (unsigned i = 0; i < ARRAY_LEN(call->in); n += call->in[i++].n)
		if (call->in[i].n)
			memcpy((char *)r->in + n, call->in[i].p, call->in[i].n);
	return r;
}

/* A piece of kernel memory, which may be longer than a page but is one block
 * of the direct map. */
static struct sg sg_of(const void *p, size_t n)
{
	return (struct sg){virt_to_phys(p), (uint32_t)n};
}

static int submit_locked(
    struct fuse_conn *c, struct fuse_req *r, const struct fuse_call *call)
{
	struct sg one_out, one_in, *out = &one_out, *in = &one_in;
	unsigned n_out = 1, n_in = r->out_len ? 1 : 0;
	unsigned nr = call ? call->nr_sg : 0;
	int err;

	if (c->dead)
		return c->dead;
	if (nr && call->sg_in) {
		in = call->sg - 1;
		n_in = nr + 1;
	} else if (nr) { /* header apart: no copy in virtiofsd */
		out = call->sg - 2;
		n_out = nr + 2;
		out[1] = sg_of(r->in + 1, r->in_len - sizeof(*r->in));
	}
	*out = sg_of(r->in, nr && !call->sg_in ? sizeof(*r->in) : r->in_len);
	if (n_in)
		*in = sg_of(r->out, r->out_len);
	r->unique = r->in->unique = c->unique += 2;
	err = c->transport->submit(c->dev, r->queue, out, n_out, in, n_in, r);
	if (err)
		return err;
	list_push_back(&c->inflight, &r->node);
	c->transport->kick(c->dev, r->queue);
	return 0;
}

static void complete_locked(struct fuse_conn *c, struct fuse_req *r)
{
	r->done = true;
	list_remove(&r->node);
	if (r->background && !r->error)
		list_push_back(&c->done, &r->node);
	else if (r->waiter)
		thread_wake(r->waiter);
}

void fuse_completed(struct fuse_conn *c, void *token, uint32_t written)
{
	struct fuse_req *r = token;

	assert(spin_is_locked(&c->lock));
	if (r->done)
		return; /* given up when the connection died */
	r->written = written;
	complete_locked(c, r);
}

void fuse_conn_woken(struct fuse_conn *c)
{
	if (!waitq_empty(&c->space))
		waitq_wake_all(&c->space, 0);
}

void fuse_conn_kill(struct fuse_conn *c, int err)
{
	unsigned long flags = spin_lock_irq(&c->lock);

	if (!c->dead)
		c->dead = err;
	while (!list_empty(&c->inflight)) {
		struct fuse_req *r =
		    list_first(&c->inflight, struct fuse_req, node);
		r->error = c->dead;
		complete_locked(c, r);
	}
	spin_unlock_irq(&c->lock, flags);
	waitq_wake_all(&c->space, 0);
}

static int submit(
    struct fuse_conn *c, struct fuse_req *r, const struct fuse_call *call)
{
	unsigned long flags;
	int err;

again:
	flags = spin_lock_irq(&c->lock);
	err = submit_locked(c, r, call);
	if (err == -ENOSPC && r->background) {
		list_push_back(&c->waiting, &r->node);
		err = 0;
	}
	spin_unlock_irq(&c->lock, flags);
	/* Caches don't give way while interrupts are off. */
	if (err == -ENOMEM && page_reclaim(1))
		goto again;
	return err;
}

/* Wait for room in the queue if need be. */
static int submit_waiting(
    struct fuse_conn *c, struct fuse_req *r, const struct fuse_call *call)
{
	struct waiter w;
	int err = submit(c, r, call);

	if (err != -ENOSPC)
		return err;
	waiter_init(&w);
	waitq_add(&c->space, &w);
	while ((err = submit(c, r, call)) == -ENOSPC)
		(void)thread_sleep(DEADLINE_NEVER, false);
	waitq_remove(&c->space, &w);
	return err;
}

static bool is_done(struct fuse_conn *c, struct fuse_req *r)
{
	unsigned long flags = spin_lock_irq(&c->lock);
	bool done = r->done;

	spin_unlock_irq(&c->lock, flags);
	return done;
}

static void interrupt(struct fuse_conn *c, struct fuse_req *r)
{
	struct fuse_interrupt_in in = {.unique = r->unique};
	struct fuse_call call = {
	    .opcode = FUSE_INTERRUPT,
	    .in = {{&in, sizeof(in)}},
	};

	(void)fuse_send(c, &call); /* it is a hint */
}

/* The memory is the device's until it answers.  File operations are not
 * interrupted by signals that are handled, or the program would see EINTR
 * where POSIX has none; only the end of the process asks for haste. */
static void wait(struct fuse_conn *c, struct fuse_req *r)
{
	bool asked = false;

	while (!is_done(c, r)) {
		(void)thread_sleep(DEADLINE_NEVER, false);
		if (signal_stopping() && !asked) {
			asked = true;
			interrupt(c, r);
		}
	}
}

/* What every reply must be; its length without the header or -errno. */
static ssize_t check(struct fuse_req *r, const struct fuse_call *call)
{
	struct fuse_out_header h = *r->out;
	size_t data = 0, len;

	for (unsigned i = 0; call->sg_in && i < call->nr_sg; i++)
		data += call->sg[i].len;
	if (r->written < sizeof(h) || h.len < sizeof(h) || h.len > r->written ||
	    h.unique != r->unique || h.error > 0 || h.error < -ERROR_MAX)
		return -EIO;
	len = h.len - sizeof(h);
	if (h.error)
		return len ? -EIO : h.error;
	if (len > call->out_size + data)
		return -EIO;
	if (len < call->out_size && !call->out_short)
		return -EIO;
	return (ssize_t)len;
}

static ssize_t finish(struct fuse_req *r, const struct fuse_call *call)
{
	ssize_t n;

	if (r->error)
		return r->error; /* memory and pages stay the device's */
	n = check(r, call);
	if (n > 0 && call->out_size)
		memcpy(call->out, r->out + 1, min((size_t)n, call->out_size));
	if (n >= 0 && call->sg_in)
		n -= (ssize_t)call->out_size;
	kfree(r);
	iter_unpin(call->sg, call->nr_sg);
	return n;
}

ssize_t fuse_call(struct fuse_conn *c, const struct fuse_call *call)
{
	uint64_t bit = 1ull << (call->opcode & 63);
	struct fuse_req *r;
	ssize_t n;
	int err = -ENOMEM;

	fuse_tidy(c);
	r = req_alloc(call);
	if (r) {
		r->waiter = thread_current();
		err = submit_waiting(c, r, call);
	}
	if (err) {
		kfree(r);
		iter_unpin(call->sg, call->nr_sg);
		return err;
	}
	wait(c, r);
	n = finish(r, call);
	if (n == -ENOSYS)
		__atomic_or_fetch(&c->missing, bit, __ATOMIC_RELAXED);
	return n;
}

int fuse_send(struct fuse_conn *c, const struct fuse_call *call)
{
	struct fuse_req *r = req_alloc(call);
	int err;

	if (!r)
		return -ENOMEM;
	if (call->opcode == FUSE_FORGET || call->opcode == FUSE_INTERRUPT ||
	    call->opcode == FUSE_BATCH_FORGET)
		r->queue = FUSE_QUEUE_HIPRIO;
	r->background = true;
	err = submit(c, r, NULL);
	if (err)
		kfree(r);
	return err == -ENOMEM ? err : 0; /* a dead server needs no telling */
}

static struct fuse_req *take(struct fuse_conn *c, struct list *from)
{
	unsigned long flags = spin_lock_irq(&c->lock);
	struct fuse_req *r = NULL;

	if (!list_empty(from)) {
		r = list_first(from, struct fuse_req, node);
		list_remove(&r->node);
	}
	spin_unlock_irq(&c->lock, flags);
	return r;
}

void fuse_tidy(struct fuse_conn *c)
{
	struct fuse_req *r;
	unsigned long flags;
	int err = 0;

	if (list_empty(&c->done) && list_empty(&c->waiting))
		return;
	while ((r = take(c, &c->done)))
		kfree(r);
	while (!err && (r = take(c, &c->waiting))) {
		flags = spin_lock_irq(&c->lock);
		err = submit_locked(c, r, NULL);
		if (err == -ENOSPC)
			list_push_front(&c->waiting, &r->node);
		spin_unlock_irq(&c->lock, flags);
		if (err && err != -ENOSPC)
			kfree(r);
	}
}

void fuse_conn_register(struct fuse_conn *c)
{
	list_init(&c->inflight);
	list_init(&c->done);
	list_init(&c->waiting);
	list_init(&c->forgets);
	list_init(&c->idle);
	waitq_init(&c->space);
	list_push_back(&fuse_conns, &c->node);
}

struct fuse_conn *fuse_conn_find(const char *tag)
{
	struct fuse_conn *c;

	list_for_each (c, &fuse_conns, node)
		if (!strcmp(c->tag, tag))
			return c;
	return NULL;
}

int fs_share_gone(const char *tag)
{
	struct fuse_conn *c = fuse_conn_find(tag);

	if (!c)
		return -ENODEV;
	fuse_conn_kill(c, -ENOTCONN);
	return 0;
}

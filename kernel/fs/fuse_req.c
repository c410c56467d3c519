/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FUSE requests: sending, waiting, and what all replies have in common.
 *
 * A request is one block of kernel memory: the record, the bytes for the
 * server, and room for its reply.  A waiting caller copies the reply out and
 * frees it; a request without a waiter is put on its queue's list when it comes
 * back, since that may be in an interrupt, and freed by fuse_tidy().
 *
 * A request that was in flight when the connection died is never freed: the
 * server may still write to it.
 */
#include "kernel/fs/fuse.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/page.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/process.h"
#include "kernel/sched/thread.h"

uint64_t fs_requests; /* [a] */

static_assert(sizeof(struct fuse_in_header) == 40, "protocol");
static_assert(sizeof(struct fuse_out_header) == 16, "protocol");

#define ERROR_MAX 511

struct fuse_req {
	struct list node;      /* [queue] inflight, done or waiting */
	struct thread *waiter; /* [queue] or NULL */
	uint64_t unique;
	uint32_t written; /* [queue] what the device says */
	int error;        /* [queue] the connection died */
	bool done;        /* [queue] */
	bool background;
	struct fuse_queue *queue;
	size_t in_len, out_len;
	struct fuse_in_header *in;
	struct fuse_out_header *out;
	char data[];
};

struct list fuse_conns = LIST_INIT(fuse_conns);

/* The queue that is this CPU's. */
static struct fuse_queue *queue_here(struct fuse_conn *c)
{
	unsigned n = c->nr_queues - FUSE_QUEUE_REQUESTS;

	return &c->queues[FUSE_QUEUE_REQUESTS +
			  (n > 1 ? cpu_self()->id % n : 0)];
}

static struct fuse_req *req_alloc(
    struct fuse_conn *c, const struct fuse_call *call)
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
	r->queue = queue_here(c);
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
	unsigned index = (unsigned)(r->queue - c->queues);
	int err = __atomic_load_n(&c->dead, __ATOMIC_RELAXED);

	if (err)
		return err;
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
	/* Even ones: the protocol's lowest bit has a meaning of its own. */
	r->unique = r->in->unique =
	    2 * (++r->queue->sent * c->nr_queues + index);
	err = c->transport->submit(c->dev, index, out, n_out, in, n_in, r);
	if (err)
		return err;
	__atomic_add_fetch(&fs_requests, 1, __ATOMIC_RELAXED);
	list_push_back(&r->queue->inflight, &r->node);
	c->transport->kick(c->dev, index);
	return 0;
}

/* For fuse_tidy(). */
static void list_leave(
    struct fuse_conn *c, struct list *list, struct fuse_req *r)
{
	list_push_back(list, &r->node);
	__atomic_store_n(&c->untidy, true, __ATOMIC_RELEASE);
}

static void complete_locked(struct fuse_conn *c, struct fuse_req *r)
{
	r->done = true;
	list_remove(&r->node);
	if (r->background && !r->error)
		list_leave(c, &r->queue->done, r);
	else if (r->waiter)
		thread_wake(r->waiter);
}

void fuse_completed(struct fuse_conn *c, void *token, uint32_t written)
{
	struct fuse_req *r = token;

	assert(spin_is_locked(&r->queue->lock));
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

static void queue_kill(struct fuse_conn *c, struct fuse_queue *q)
{
	unsigned long flags = spin_lock_irq(&q->lock);

	while (!list_empty(&q->inflight)) {
		struct fuse_req *r =
		    list_first(&q->inflight, struct fuse_req, node);
		r->error = c->dead;
		complete_locked(c, r);
	}
	spin_unlock_irq(&q->lock, flags);
}

void fuse_conn_kill(struct fuse_conn *c, int err)
{
	int alive = 0;

	/* Whoever gets a queue's lock after this loop sees it. */
	(void)__atomic_compare_exchange_n(
	    &c->dead, &alive, err, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < c->nr_queues; i++)
		queue_kill(c, &c->queues[i]);
	waitq_wake_all(&c->space, 0);
}

static int submit(
    struct fuse_conn *c, struct fuse_req *r, const struct fuse_call *call)
{
	unsigned long flags;
	int err;

again:
	flags = spin_lock_irq(&r->queue->lock);
	err = submit_locked(c, r, call);
	if (err == -ENOSPC && r->background) {
		list_leave(c, &r->queue->waiting, r);
		err = 0;
	}
	spin_unlock_irq(&r->queue->lock, flags);
	/* Caches don't give way while interrupts are off. */
	if (err == -ENOMEM && page_reclaim(1))
		goto again;
	return err;
}

/* Wait for room in the queue if need be. */
static int submit_waiting(
    struct fuse_conn *c, struct fuse_req *r, const struct fuse_call *call)
{
	int err;

	(void)wait_event(&c->space, (err = submit(c, r, call)) != -ENOSPC,
	    DEADLINE_NEVER, false);
	return err;
}

static bool is_done(struct fuse_req *r)
{
	unsigned long flags = spin_lock_irq(&r->queue->lock);
	bool done = r->done;

	spin_unlock_irq(&r->queue->lock, flags);
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

	while (!is_done(r)) {
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
	r = req_alloc(c, call);
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
	struct fuse_req *r = req_alloc(c, call);
	int err;

	if (!r)
		return -ENOMEM;
	if (call->opcode == FUSE_FORGET || call->opcode == FUSE_INTERRUPT ||
	    call->opcode == FUSE_BATCH_FORGET)
		r->queue = &c->queues[FUSE_QUEUE_HIPRIO];
	r->background = true;
	err = submit(c, r, NULL);
	if (err)
		kfree(r);
	return err == -ENOMEM ? err : 0; /* a dead server needs no telling */
}

static struct fuse_req *take(struct fuse_queue *q, struct list *from)
{
	unsigned long flags = spin_lock_irq(&q->lock);
	struct fuse_req *r = NULL;

	if (!list_empty(from)) {
		r = list_first(from, struct fuse_req, node);
		list_remove(&r->node);
	}
	spin_unlock_irq(&q->lock, flags);
	return r;
}

/* Free what is done and send what waits, as far as there is room. */
static void queue_tidy(struct fuse_conn *c, struct fuse_queue *q)
{
	struct fuse_req *r;
	unsigned long flags;
	int err = 0;

	while ((r = take(q, &q->done)))
		kfree(r);
	while (!err && (r = take(q, &q->waiting))) {
		flags = spin_lock_irq(&q->lock);
		err = submit_locked(c, r, NULL);
		if (err == -ENOSPC) {
			list_push_front(&q->waiting, &r->node);
			__atomic_store_n(&c->untidy, true, __ATOMIC_RELEASE);
		}
		spin_unlock_irq(&q->lock, flags);
		if (err && err != -ENOSPC)
			kfree(r);
	}
}

bool fuse_tidy(struct fuse_conn *c)
{
	if (!__atomic_load_n(&c->untidy, __ATOMIC_RELAXED))
		return true;
	__atomic_store_n(&c->untidy, false, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < c->nr_queues; i++)
		queue_tidy(c, &c->queues[i]);
	return !__atomic_load_n(&c->untidy, __ATOMIC_RELAXED);
}

int fuse_conn_register(struct fuse_conn *c, unsigned nr_queues)
{
	c->queues = kzalloc(nr_queues * sizeof(*c->queues));
	if (!c->queues)
		return -ENOMEM;
	c->nr_queues = nr_queues;
	for (unsigned i = 0; i < nr_queues; i++) {
		spin_init(&c->queues[i].lock);
		list_init(&c->queues[i].inflight);
		list_init(&c->queues[i].done);
		list_init(&c->queues[i].waiting);
	}
	list_init(&c->forgets);
	list_init(&c->idle);
	waitq_init(&c->space);
	list_push_back(&fuse_conns, &c->node);
	return 0;
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

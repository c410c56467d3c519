/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for several files; see poll.h. */
#include "kernel/fs/file.h"
#include "kernel/fs/poll.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/thread.h"

#define ALWAYS          (POLL_ERR | POLL_HUP | POLL_NVAL)
#define QUEUES_PER_FILE 2 /* no kind of file waits on more */

struct registration {
	struct waiter w;
	struct waitq *q;
};

struct registrar {
	struct poll_table pt;
	struct registration *r;
	unsigned n, max;
};

static void add(struct poll_table *pt, struct waitq *q)
{
	struct registrar *reg = container_of(pt, struct registrar, pt);
	struct registration *r;

	if (reg->n == reg->max)
		return;
	r = &reg->r[reg->n++];
	r->q = q;
	waiter_init(&r->w);
	waitq_add(q, &r->w);
}

static int scan(struct poll_entry *e, unsigned n, struct poll_table *pt)
{
	int ready = 0;

	for (unsigned i = 0; i < n; i++) {
		if (e[i].file)
			e[i].revents = e[i].file->ops->poll(e[i].file, pt) &
				       (e[i].events | ALWAYS);
		ready += e[i].revents != 0;
	}
	return ready;
}

int poll_files(struct poll_entry *e, unsigned n, uint64_t deadline)
{
	struct registrar reg = {.pt = {add}, .max = n * QUEUES_PER_FILE};
	int ready = scan(e, n, NULL), err = 0;

	if (ready || deadline == 0)
		return ready;
	reg.r = n ? kmalloc(reg.max * sizeof(*reg.r)) : NULL;
	if (n && !reg.r)
		return -ENOMEM;
	ready = scan(e, n, &reg.pt);
	while (!ready && !err) {
		err = thread_sleep(deadline, true);
		ready = scan(e, n, NULL);
	}
	for (unsigned i = 0; i < reg.n; i++)
		waitq_remove(reg.r[i].q, &reg.r[i].w);
	kfree(reg.r);
	if (ready || err == -ETIMEDOUT)
		return ready;
	return -EINTR;
}

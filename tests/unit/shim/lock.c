/* SPDX-License-Identifier: BSD-2-Clause */
/* Locks and wait queues for one thread: they never wait, but they check. */
#include "kernel/lib/assert.h"
#include "kernel/mm/mm_cpu.h"
#include "kernel/sched/mutex.h"
#include "kernel/sched/wait.h"
#include "tests/unit/shim/shim.h"

int shim_locks_held;

void spin_lock(struct spinlock *l)
{
	assert(!l->locked);
	l->locked = 1;
	shim_locks_held++;
}

void spin_unlock(struct spinlock *l)
{
	assert(l->locked);
	l->locked = 0;
	shim_locks_held--;
}

unsigned long spin_lock_irq(struct spinlock *l)
{
	spin_lock(l);
	return 0x200; /* interrupts were on */
}

void spin_unlock_irq(struct spinlock *l, unsigned long flags)
{
	(void)flags;
	spin_unlock(l);
}

void waitq_setup(struct waitq *q)
{
	*q = (struct waitq)WAITQ_INIT(*q);
}

void waiter_init(struct waiter *w)
{
	*w = (struct waiter){0};
	list_init(&w->node);
}

void waitq_add(struct waitq *q, struct waiter *w)
{
	list_push_back(&q->waiters, &w->node);
}

void waitq_remove(struct waitq *q, struct waiter *w)
{
	(void)q;
	list_remove(&w->node);
}

int wait_step(
    struct waitq *q, struct waiter *w, uint64_t deadline, bool interruptible)
{
	(void)q, (void)w;
	return thread_sleep(deadline, interruptible);
}

void waitq_finish(struct waitq *q, struct waiter *w)
{
	(void)q, (void)w;
}

static void wake(struct waitq *q, unsigned key, bool one)
{
	struct waiter *w, *tmp;

	list_for_each_safe (w, tmp, &q->waiters, node) {
		if (w->wake)
			w->wake(w, key);
		if (one && w->exclusive)
			break;
	}
}

void waitq_wake_all(struct waitq *q, unsigned key)
{
	wake(q, key, false);
}

void waitq_wake_one(struct waitq *q, unsigned key)
{
	wake(q, key, true);
}

int thread_sleep(uint64_t deadline, bool interruptible)
{
	(void)deadline, (void)interruptible;
	panic("a test's code would sleep for ever");
}

void mutex_setup(struct mutex *m)
{
	*m = (struct mutex){0};
}

void mutex_lock(struct mutex *m)
{
	assert(!m->contended);
	m->contended = 1; /* here: held */
}

void mutex_unlock(struct mutex *m)
{
	assert(m->contended);
	m->contended = 0;
}

struct mm_cpu *mm_cpu(void)
{
	static struct mm_cpu c;

	return &c;
}

size_t mm_cpu_objects(unsigned class)
{
	return mm_cpu()->nr[class];
}

uint64_t mm_cpu_pages(void)
{
	return mm_cpu()->nr_pages;
}

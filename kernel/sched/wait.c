/* SPDX-License-Identifier: BSD-2-Clause */
/* Wait queues; see wait.h. */
#include "kernel/sched/wait.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/sched/thread.h"

void waitq_setup(struct waitq *q)
{
	*q = (struct waitq){.lock = SPINLOCK_INIT};
	list_init(&q->waiters);
}

static void wake_thread(struct waiter *w, unsigned key)
{
	(void)key;
	__atomic_store_n(&w->woken, true, __ATOMIC_RELAXED);
	thread_wake(w->thread);
	if (!w->once)
		return;
	w->node.prev->next = w->node.next;
	w->node.next->prev = w->node.prev;
	w->node.prev = &w->node;
	/* The waiter goes as soon as it sees this. */
	__atomic_store_n(&w->node.next, &w->node, __ATOMIC_RELEASE);
}

void waiter_init(struct waiter *w)
{
	list_init(&w->node);
	w->wake = wake_thread;
	w->thread = thread_current();
	w->exclusive = w->once = w->fresh = w->woken = false;
}

void waitq_add(struct waitq *q, struct waiter *w)
{
	unsigned long flags = spin_lock_irq(&q->lock);

	list_push_back(&q->waiters, &w->node);
	spin_unlock_irq(&q->lock, flags);
	/* The caller looks at its condition after it can be seen here ... */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void waitq_remove(struct waitq *q, struct waiter *w)
{
	unsigned long flags = spin_lock_irq(&q->lock);

	list_remove(&w->node);
	spin_unlock_irq(&q->lock, flags);
}

/* Whoever took it off has done with it by now. */
static bool is_queued(const struct waiter *w)
{
	return w->thread &&
	       __atomic_load_n(&w->node.next, __ATOMIC_ACQUIRE) != &w->node;
}

/* Perhaps somebody has just woken this thread and is about to take w off. */
static bool stays_queued(struct waitq *q, struct waiter *w)
{
	unsigned long flags;
	bool stays;

	if (!is_queued(w))
		return false;
	flags = spin_lock_irq(&q->lock);
	stays = is_queued(w);
	spin_unlock_irq(&q->lock, flags);
	return stays;
}

/* The condition has been looked at since w was queued.  If w has been woken
 * meanwhile, a condition that sleeps itself may have used up that wake-up. */
static bool may_sleep(struct waitq *q, struct waiter *w)
{
	if (w->fresh && !__atomic_load_n(&w->woken, __ATOMIC_RELAXED))
		return true;
	return stays_queued(q, w);
}

int wait_step(
    struct waitq *q, struct waiter *w, uint64_t deadline, bool interruptible)
{
	int err = w->thread ? w->err : 0;

	if (w->thread && may_sleep(q, w)) {
		w->fresh = false;
		if (!err)
			w->err = thread_sleep(deadline, interruptible);
		return err;
	}
	waiter_init(w);
	w->err = err;
	w->once = w->fresh = true;
	waitq_add(q, w);
	return 0;
}

void waitq_finish(struct waitq *q, struct waiter *w)
{
	if (is_queued(w))
		waitq_remove(q, w);
}

static void wake(struct waitq *q, unsigned key, bool one)
{
	struct waiter *w, *tmp;
	unsigned long flags;

	/* ... and the waker here, after it has made that true. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (waitq_empty(q))
		return;
	flags = spin_lock_irq(&q->lock);
	thread_wakes_begin();
	list_for_each_safe (w, tmp, &q->waiters, node) {
		bool last = one && w->exclusive;
		if (w->exclusive)
			list_remove(&w->node);
		w->wake(w, key);
		if (last)
			break;
	}
	spin_unlock(&q->lock);
	thread_wakes_end();
	cpu_irq_restore(flags);
}

void waitq_wake_all(struct waitq *q, unsigned key)
{
	wake(q, key, false);
}

void waitq_wake_one(struct waitq *q, unsigned key)
{
	wake(q, key, true);
}

void waitq_wake_sync(struct waitq *q, unsigned key)
{
	thread_handover_begin();
	wake(q, key, false);
	thread_handover_end();
}

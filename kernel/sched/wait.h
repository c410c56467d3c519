/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wait queues: sleeping until an event.
 *
 * A waiter is an entry with a callback; waking a queue calls the callback of
 * every entry (or of the first `n` exclusive ones).  The usual callback wakes
 * a thread; poll and epoll have their own.
 *
 *	w.thread = NULL;
 *	while (!condition && !err)
 *		err = wait_step(&q, &w, deadline, true);
 *	waitq_finish(&q, &w);
 *
 * is safe against a wake-up between the test and the sleep, since a wake-up
 * that arrives while the thread still runs makes the next thread_sleep return
 * at once.  wait_event() below is that loop.
 */
#ifndef TORIL_KERNEL_SCHED_WAIT_H
#define TORIL_KERNEL_SCHED_WAIT_H

#include "kernel/lib/list.h"
#include "kernel/sched/spinlock.h"

struct thread;
struct waiter;

struct waitq {
	struct spinlock lock;
	struct list waiters; /* [lock] struct waiter */
};

/* Called with the queue's lock held and interrupts off: must not sleep, and
 * must not take the same queue's lock.  `key` is what waitq_wake was given
 * (poll events, or 0 for any). */
typedef void waiter_fn(struct waiter *w, unsigned key);

struct waiter {
	struct list node;
	waiter_fn *wake;
	struct thread *thread;
	bool exclusive; /* waitq_wake_one stops after one of these */
	bool once;      /* a wake-up takes it off the queue */
	bool fresh;     /* queued since the last sleep */
	bool woken;     /* a wake-up has begun */
	int err;        /* of that sleep */
};

#define WAITQ_INIT(q)                                                          \
	{                                                                      \
		SPINLOCK_INIT, LIST_INIT((q).waiters)                          \
	}

void waitq_setup(struct waitq *q);
#define waitq_init(q) (waitq_setup(q), lockdep_name(&(q)->lock.debug))

/* A waiter that wakes the current thread. */
void waiter_init(struct waiter *w);

/* Any context.  Add at the end; remove is harmless if not queued. */
void waitq_add(struct waitq *q, struct waiter *w);
void waitq_remove(struct waitq *q, struct waiter *w);

/* For a thread whose condition does not hold, and whose w->thread was NULL at
 * first: queue w, for one wake-up, so that the condition is looked at again; if
 * that has been done, sleep.  0, or an error of thread_sleep after which the
 * condition still did not hold. */
int wait_step(
    struct waitq *q, struct waiter *w, uint64_t deadline, bool interruptible);
void waitq_finish(struct waitq *q, struct waiter *w);

/* Any context, interrupts included.  Wake all, or all non-exclusive ones and
 * one exclusive one. */
void waitq_wake_all(struct waitq *q, unsigned key);
void waitq_wake_one(struct waitq *q, unsigned key);

/* Wake all; the caller passes something on and will probably wait for the
 * answer: who is woken had better run on this CPU. */
void waitq_wake_sync(struct waitq *q, unsigned key);

/* True if nobody waits; a hint, taken without the lock. */
static inline bool waitq_empty(const struct waitq *q)
{
	return __atomic_load_n(&q->waiters.next, __ATOMIC_ACQUIRE) ==
	       &q->waiters;
}

#define DEADLINE_NEVER UINT64_MAX /* clock_monotonic() nanoseconds */

/*
 * Sleep until `cond` holds.  deadline: monotonic nanoseconds or
 * DEADLINE_NEVER; interruptible: a deliverable signal ends the wait.
 * The result is 0 once cond held, -ETIMEDOUT, or -ERESTARTSYS.
 * cond is evaluated without locks; may sleep.
 */
#define wait_event(q, cond, deadline, interruptible)                           \
	wait_loop(q, cond, deadline, interruptible, false)

/* The same where it has just been found that cond does not hold. */
#define wait_event_tried(q, cond, deadline, interruptible)                     \
	wait_loop(q, cond, deadline, interruptible, true)

#define wait_loop(q, cond, deadline, interruptible, tried)                     \
	({                                                                     \
		struct waiter w_;                                              \
		bool tried_ = (tried);                                         \
		int err_ = 0;                                                  \
		w_.thread = NULL;                                              \
		while (!err_ && (tried_ || !(cond))) {                         \
			tried_ = false;                                        \
			err_ =                                                 \
			    wait_step((q), &w_, (deadline), (interruptible));  \
		}                                                              \
		waitq_finish((q), &w_);                                        \
		err_;                                                          \
	})

/* Sleep until woken (thread_wake), the deadline, or a signal; see above.
 * Returns 0, -ETIMEDOUT or -ERESTARTSYS; may wake spuriously with 0. */
int thread_sleep(uint64_t deadline, bool interruptible);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the scheduler's files: sched.c (queues, switches) and place.c (which
 * CPU).  All with interrupts off; `_locked`: with c->rq_lock held, of which
 * a CPU that holds its own takes another's only by trying.
 */
#ifndef TORIL_KERNEL_SCHED_SCHED_INTERNAL_H
#define TORIL_KERNEL_SCHED_SCHED_INTERNAL_H

#include "kernel/arch/x86_64/cpu.h"
#include "kernel/sched/thread.h"

#define PRIO_NONE (-2) /* of the idle thread, and of an empty queue */

/* Behind those of its priority, or before them; and out again. */
void rq_insert_locked(struct cpu *c, struct thread *t, bool first);
void rq_remove_locked(struct cpu *c, struct thread *t);

/* A thread has been inserted: does it have to run now?  True: c has to be told
 * by IRQ_RESCHED.  Better after the lock has been dropped: that takes long on a
 * virtual machine, and c may want the lock meanwhile. */
bool rq_consider_locked(struct cpu *c, struct thread *t);

/* Lock the queue of the CPU that t belongs to. */
struct cpu *rq_lock_of(struct thread *t);

/* Put a THREAD_MOVING thread, which is on no queue, on that of `to`, before
 * its equals, or with NULL where it should be.  No lock is held. */
void thread_place(struct thread *t, struct cpu *to);

/* The same with the lock of t's queue, on CPU c, which it drops. */
void thread_place_locked(struct thread *t, struct cpu *c, struct cpu *to);

/* prev, which runs on c, loses the CPU: the thread, it or one that waits on c,
 * that now has to go elsewhere, and to which CPU if that is settled; or
 * NULL. */
struct thread *place_elsewhere_locked(
    struct cpu *c, struct thread *prev, bool preempted, struct cpu **to);

/* So many more real-time threads are on the queues. */
void place_realtime_waits(int more);

/* Take a real-time thread that waits elsewhere and goes before ours. */
void place_pull_locked(struct cpu *c);

/* spread_timer's: threads wait here that were to run very soon. */
void place_spread(struct timer *timer);

/* c has nothing to do: true once it has got something from another CPU's
 * queue; otherwise others now know that it is idle.  And the contrary. */
bool place_idle_enter(struct cpu *c);
void place_idle_leave(struct cpu *c);

static inline void work_add(struct cpu *c, uint32_t work)
{
	__atomic_or_fetch(&c->work, work, __ATOMIC_SEQ_CST);
}

/* Under the queue's lock: most often there is none and was none. */
static inline void work_set(struct cpu *c, uint32_t work)
{
	if (__atomic_load_n(&c->work, __ATOMIC_RELAXED) != work)
		__atomic_store_n(&c->work, work, __ATOMIC_SEQ_CST);
}

static inline void work_remove(struct cpu *c, uint32_t work)
{
	__atomic_and_fetch(&c->work, ~work, __ATOMIC_SEQ_CST);
}

#endif

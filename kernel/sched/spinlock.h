/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spin locks.  They exclude other CPUs; on the own CPU kernel code is not
 * pre-empted anyway.  A lock that an interrupt handler takes as well must be
 * taken with the _irq variants everywhere.  Nobody sleeps with one held.
 */
#ifndef TORIL_KERNEL_SCHED_SPINLOCK_H
#define TORIL_KERNEL_SCHED_SPINLOCK_H

#include "kernel/lib/base.h"
#include "kernel/sched/lockdep.h"

struct spinlock {
	uint32_t locked; /* [a] */
	struct lockdep_lock debug;
};

/* Before a lock that all CPUs take all the time: a cache line of its own.  In a
 * debug build its initial value is not 0. */
#ifdef TORIL_DEBUG
#define own_line
#else
#define own_line __attribute__((aligned(64), section(".bss.own_line")))
#endif

#define SPINLOCK_INIT                                                          \
	{                                                                      \
		0, LOCKDEP_INIT                                                \
	}

#define spin_init(l) (void)(*(l) = (struct spinlock)SPINLOCK_INIT)

void spin_lock(struct spinlock *l);
void spin_unlock(struct spinlock *l);

/* Take it if it is free. */
bool spin_trylock(struct spinlock *l);

/* Also switch interrupts off; returns the former state for unlock. */
unsigned long spin_lock_irq(struct spinlock *l);
void spin_unlock_irq(struct spinlock *l, unsigned long flags);

/* For assertions: somebody holds the lock. */
static inline bool spin_is_locked(const struct spinlock *l)
{
	return __atomic_load_n(&l->locked, __ATOMIC_RELAXED) != 0;
}

#endif

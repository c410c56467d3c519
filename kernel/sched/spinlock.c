/* SPDX-License-Identifier: BSD-2-Clause */
/* Spin locks; see spinlock.h. */
#include "kernel/sched/spinlock.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/lib/assert.h"

static inline __attribute__((always_inline)) void acquire(struct spinlock *l)
{
	while (__atomic_exchange_n(&l->locked, 1, __ATOMIC_ACQUIRE))
		while (spin_is_locked(l))
			cpu_relax();
}

void spin_lock(struct spinlock *l)
{
	lockdep_spin_lock(&l->debug, LOCKDEP_HERE);
	acquire(l);
}

bool spin_trylock(struct spinlock *l)
{
	bool got = !__atomic_exchange_n(&l->locked, 1, __ATOMIC_ACQUIRE);

	if (got)
		lockdep_spin_tried(&l->debug, LOCKDEP_HERE);
	return got;
}

static inline __attribute__((always_inline)) void release(struct spinlock *l)
{
	assert(l->locked);
	__atomic_store_n(&l->locked, 0, __ATOMIC_RELEASE);
}

void spin_unlock(struct spinlock *l)
{
	lockdep_spin_unlock(&l->debug, LOCKDEP_HERE);
	release(l);
}

unsigned long spin_lock_irq(struct spinlock *l)
{
	unsigned long flags = cpu_irq_save();

	lockdep_spin_lock(&l->debug, LOCKDEP_HERE);
	acquire(l);
	return flags;
}

void spin_unlock_irq(struct spinlock *l, unsigned long flags)
{
	lockdep_spin_unlock(&l->debug, LOCKDEP_HERE);
	release(l);
	cpu_irq_restore(flags);
}

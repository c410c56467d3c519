/* SPDX-License-Identifier: BSD-2-Clause */
/* Spin locks; see spinlock.h. */
#include "kernel/sched/spinlock.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/lib/assert.h"

void spin_lock(struct spinlock *l)
{
	while (__atomic_exchange_n(&l->locked, 1, __ATOMIC_ACQUIRE))
		while (spin_is_locked(l))
			cpu_relax();
}

void spin_unlock(struct spinlock *l)
{
	assert(l->locked);
	__atomic_store_n(&l->locked, 0, __ATOMIC_RELEASE);
}

unsigned long spin_lock_irq(struct spinlock *l)
{
	unsigned long flags = cpu_irq_save();

	spin_lock(l);
	return flags;
}

void spin_unlock_irq(struct spinlock *l, unsigned long flags)
{
	spin_unlock(l);
	cpu_irq_restore(flags);
}

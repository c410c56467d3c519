/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers: a tree per CPU, ordered by deadline, in front of the LAPIC's
 * one-shot timer.  A timer is in the tree of the CPU that armed it.  The LAPIC
 * is programmed only when an earlier deadline appears; one that was cancelled
 * costs at most a spurious interrupt.
 */
#include "kernel/sched/timer.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/sched/clock.h"

#define HORIZON (4 * NSEC_PER_SEC) /* the counter has 32 bits */

static void program_locked(struct cpu *c, uint64_t deadline)
{
	uint64_t now = clock_monotonic();
	uint64_t delta = deadline > now ? deadline - now : 1;

	c->timer_armed = deadline;
	clock_timer_program((uint32_t)min(delta, (uint64_t)HORIZON));
}

/* Take t out of its tree; whether it was in one.  Interrupts are off. */
static bool disarm(struct timer *t, bool wait)
{
	struct cpu *c = t->cpu;
	bool was;

	if (!c)
		return false;
	spin_lock(&c->timer_lock);
	was = t->armed;
	if (was)
		treap_remove(&c->timers, &t->node);
	t->armed = false;
	spin_unlock(&c->timer_lock);
	if (wait && c != cpu_self())
		while (
		    __atomic_load_n(&c->timer_running, __ATOMIC_ACQUIRE) == t)
			cpu_relax();
	return was;
}

void timer_set(struct timer *t, uint64_t deadline)
{
	unsigned long flags = cpu_irq_save();
	struct cpu *c = cpu_self();

	if (t->cpu != c) {
		disarm(t, false);
		t->cpu = c;
	}
	spin_lock(&c->timer_lock);
	if (t->armed)
		treap_remove(&c->timers, &t->node);
	t->armed = true;
	treap_insert(&c->timers, &t->node, deadline);
	if (!c->timer_armed || deadline < c->timer_armed)
		program_locked(c, deadline);
	spin_unlock_irq(&c->timer_lock, flags);
}

bool timer_cancel(struct timer *t)
{
	unsigned long flags = cpu_irq_save();
	bool was = disarm(t, true);

	cpu_irq_restore(flags);
	return was;
}

/* Called from the trap dispatcher with interrupts off. */
void timer_interrupt(void)
{
	struct cpu *c = cpu_self();
	struct treap_node *n;

	spin_lock(&c->timer_lock);
	c->timer_armed = 0;
	while ((n = treap_first(&c->timers)) && n->key <= clock_monotonic()) {
		struct timer *t = container_of(n, struct timer, node);
		treap_remove(&c->timers, n);
		t->armed = false;
		c->timer_running = t;
		spin_unlock(&c->timer_lock);
		t->fn(t);
		spin_lock(&c->timer_lock);
		__atomic_store_n(&c->timer_running, NULL, __ATOMIC_RELEASE);
	}
	if (n && (!c->timer_armed || n->key < c->timer_armed))
		program_locked(c, n->key);
	spin_unlock(&c->timer_lock);
}

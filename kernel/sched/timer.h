/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One-shot timers.  The callback runs in interrupt context with interrupts
 * off: it must not sleep; it may set the timer again.
 */
#ifndef TORIL_KERNEL_SCHED_TIMER_H
#define TORIL_KERNEL_SCHED_TIMER_H

#include "kernel/lib/treap.h"

struct cpu;

struct timer {
	struct treap_node node;
	void (*fn)(struct timer *t);
	struct cpu *cpu; /* in whose tree it is; NULL: never armed */
	bool armed;
};

static inline void timer_init(struct timer *t, void (*fn)(struct timer *))
{
	t->fn = fn;
	t->cpu = NULL;
	t->armed = false;
}

/* Arm, or re-arm, for a clock_monotonic() deadline, on this CPU.  Any context.
 * Calls for one timer are its owner's to serialise. */
void timer_set(struct timer *t, uint64_t deadline);

/* Disarm.  Returns true if it was armed.  Waits for a callback that is running
 * on another CPU, so the caller holds no lock that the callback takes. */
bool timer_cancel(struct timer *t);

#endif

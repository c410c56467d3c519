/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One-shot timers.  The callback runs in interrupt context with interrupts
 * off: it must not sleep; it may set the timer again.
 */
#ifndef TORIL_KERNEL_SCHED_TIMER_H
#define TORIL_KERNEL_SCHED_TIMER_H

#include "kernel/lib/treap.h"

struct timer {
	struct treap_node node;
	void (*fn)(struct timer *t);
	bool armed;
};

static inline void timer_init(struct timer *t, void (*fn)(struct timer *))
{
	t->fn = fn;
	t->armed = false;
}

/* Arm, or re-arm, for a clock_monotonic() deadline.  Any context. */
void timer_set(struct timer *t, uint64_t deadline);

/* Disarm.  Returns true if it was armed.  The callback may be running on
 * another CPU when this returns false. */
bool timer_cancel(struct timer *t);

#endif

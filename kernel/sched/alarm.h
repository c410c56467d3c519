/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Alarms: what is to happen when a clock reaches a time, once or again and
 * again.  The clock may be one that jumps (the wall clock) or one that only
 * runs while a thread does (CPU time).  Interval timers, timer_create and
 * RLIMIT_CPU stand on these.
 *
 * A kernel thread calls the functions, so that they may allocate and send
 * signals; it starts with the first alarm.
 */
#ifndef TORIL_KERNEL_SCHED_ALARM_H
#define TORIL_KERNEL_SCHED_ALARM_H

#include "kernel/lib/treap.h"
#include "kernel/sched/wait.h"

struct alarm {
	struct treap_node node; /* key: clock_monotonic() to look next */
	bool armed;
	uint64_t due;      /* in nanoseconds of its clock */
	uint64_t interval; /* 0: once */

	/* [i] The clock; it may be read at any time, and may not sleep. */
	uint64_t (*now)(const struct alarm *a);
	bool cpu_time; /* [i] the clock runs slower than the monotonic one */

	/* It was due `times` times since it was last called.  Called with the
	 * alarms' lock held: may not set or cancel an alarm. */
	void (*fn)(struct alarm *a, uint64_t times);
};

/* Arm, re-arm, or with due 0 disarm.  What was left before (0: not armed)
 * and the interval go to *left and *every.  0 or -ENOMEM.  May sleep. */
int alarm_set(struct alarm *a, uint64_t due, uint64_t interval, uint64_t *left,
    uint64_t *every);

/* What is left (0: not armed), and the interval.  May sleep. */
void alarm_get(struct alarm *a, uint64_t *left, uint64_t *every);

/* The wall clock is set to ns since 1970.  Whatever waits for it looks anew.
 * May sleep. */
void alarm_set_wall_clock(uint64_t ns);

/* Woken when the wall clock was set; the count of settings. */
extern struct waitq alarm_wall_clock_wait;
extern uint32_t alarm_wall_clock_sets; /* [a] */

#endif

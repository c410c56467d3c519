/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine of which nothing moves but by the test's own hand. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "kernel/lib/assert.h"
#include "kernel/lib/printk.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/timer.h"
#include "tests/unit/shim/shim.h"

uint64_t shim_now = NSEC_PER_SEC;
struct timer *shim_timer;
uint64_t shim_timer_deadline;

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

uint64_t clock_monotonic(void)
{
	return shim_now;
}

uint64_t clock_realtime(void)
{
	return shim_now;
}

void timer_set(struct timer *t, uint64_t deadline)
{
	t->armed = true;
	shim_timer = t;
	shim_timer_deadline = deadline;
}

bool timer_cancel(struct timer *t)
{
	bool was = t->armed;

	t->armed = false;
	if (shim_timer == t)
		shim_timer = NULL;
	return was;
}

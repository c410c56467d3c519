/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of debug builds; see events.h.
 *
 * One ring for all CPUs: a number is taken for each event, and its place is
 * overwritten a round later.  Who reads it while others write, as a panic does,
 * may see an entry half written.
 */
#include "kernel/sched/events.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/printk.h"
#include "kernel/sched/clock.h"

#define EVENTS_KEPT  256u
#define EVENTS_SHOWN 16u
#define EVENTS_PORT  0x5f0 /* 32 bits: kind << 24 | value */

static struct event {
	uint64_t time; /* nanoseconds */
	uint32_t kind, value, cpu, pad;
} events_ring[EVENTS_KEPT];
static uint32_t events_count; /* [a] ever; the next one's number */
static bool events_on, events_out;

void event(enum event_kind kind, uint32_t value)
{
	uint32_t n;

	if (!events_on)
		return;
	n = __atomic_fetch_add(&events_count, 1, __ATOMIC_RELAXED);
	events_ring[n % EVENTS_KEPT] = (struct event){.time = clock_monotonic(),
	    .kind = kind,
	    .value = value,
	    .cpu = cpu_self()->id};
	if (events_out)
		cpu_outl(EVENTS_PORT, (uint32_t)kind << 24 | value);
}

void events_start(const char *cmdline)
{
	const char *pos = NULL;

	events_out = cmdline_next(cmdline, "toril.trace", &pos) != NULL;
	events_on = true;
}

void events_print(void)
{
	static const char *const names[] = {
	    "?", "runs thread", "wakes thread", "interrupt", "fault"};
	uint32_t n = events_count;
	uint32_t i = n > EVENTS_SHOWN ? n - EVENTS_SHOWN : 0;

	for (; i < n; i++) {
		const struct event *e = &events_ring[i % EVENTS_KEPT];

		printk("%lu us CPU %u %s %u\n", e->time / 1000, e->cpu,
		    names[e->kind <= EVENT_FAULT ? e->kind : 0], e->value);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last things that a debug build (make DEBUG=1) did: switches, wake-ups,
 * interrupts, faults.  A panic prints the last ones, gdb's report of a crash
 * too, and with toril.trace on the command line, which toril-run --trace puts
 * there, each goes to a port that no device has: QEMU's trace shows it among
 * the devices' own.  Nothing of it is left in an ordinary build.
 */
#ifndef TORIL_KERNEL_SCHED_EVENTS_H
#define TORIL_KERNEL_SCHED_EVENTS_H

#include "kernel/lib/base.h"

/* What the value of each is; toril-trace and toril-gdb.py know them too. */
enum event_kind {
	EVENT_SWITCH = 1, /* thread that runs from now on (0: a kernel's own) */
	EVENT_WAKE = 2,   /* thread that was asleep */
	EVENT_IRQ = 3,    /* vector, as its handler is called */
	EVENT_FAULT = 4,  /* vector of an exception */
};

#ifdef TORIL_DEBUG

/* Record; anywhere, also with locks held.  `value` is below 2^24. */
void event(enum event_kind kind, uint32_t value);
void events_start(const char *cmdline);
void events_print(void); /* the last ones, for a panic */

#else

#define event(kind, value)    ((void)0)
#define events_start(cmdline) ((void)0)
#define events_print()        ((void)0)

#endif
#endif

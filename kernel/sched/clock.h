/* SPDX-License-Identifier: BSD-2-Clause */
/* Time, in nanoseconds.  Any context, no sleeping, a few instructions. */
#ifndef TORIL_KERNEL_SCHED_CLOCK_H
#define TORIL_KERNEL_SCHED_CLOCK_H

#include "kernel/lib/base.h"

uint64_t clock_monotonic(void); /* since boot; never goes back */
uint64_t clock_realtime(void);  /* since 1970-01-01 UTC */

/* Set the wall clock (clock_settime); monotonic time is not affected. */
void clock_set_realtime(uint64_t ns);

#endif

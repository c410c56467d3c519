/* SPDX-License-Identifier: BSD-2-Clause */
/* The hardware side of time; kernel/sched/clock.h is what others use. */
#ifndef TORIL_KERNEL_ARCH_X86_64_CLOCK_H
#define TORIL_KERNEL_ARCH_X86_64_CLOCK_H

#include "kernel/lib/base.h"

/* Start measuring the TSC against the LAPIC timer; finish with what has
 * passed since.  Boot does both at points that it passes anyway. */
void clock_measure_begin(void);
void clock_measure_end(void);

/* Program the LAPIC timer, in nanoseconds; refines the TSC's rate from the
 * stretch that ends here, where that was long enough. */
void clock_timer_program(uint32_t ns);

#endif

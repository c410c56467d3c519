/* SPDX-License-Identifier: BSD-2-Clause */
/* The clocks of clock_gettime(2), by their ids. */
#ifndef TORIL_POSIX_CLOCK_H
#define TORIL_POSIX_CLOCK_H

#include "kernel/sched/alarm.h"

/*
 * Ids of CPU-time clocks, as the C library makes them: the complement of a
 * process or thread id, shifted, with these bits.  Three kinds of CPU time
 * are told apart by the lowest two; here they agree.
 */
#define CLOCK_CPU_KIND    3
#define CLOCK_CPU_THREAD  4
#define CLOCK_CPU_TID(id) ((int)~((unsigned)(id) >> 3 | 7u << 29))

/* Read clock `id`, in nanoseconds; -EINVAL: no such clock.  May not sleep. */
long clock_read(int id, uint64_t *ns);

/* True for a clock that measures CPU time. */
bool clock_is_cpu(int id);

/* CPU time of the process, in nanoseconds: what all threads have used. */
uint64_t clock_process(void);

#endif

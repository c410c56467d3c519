/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's surroundings for unit tests, and the test's hold on them. */
#ifndef TORIL_TESTS_UNIT_SHIM_SHIM_H
#define TORIL_TESTS_UNIT_SHIM_SHIM_H

#include "kernel/lib/base.h"

struct timer;

/* lock.c: spin locks and mutexes held now. */
extern int shim_locks_held;

/* machine.c: the clock, and the timer that was set last. */
extern uint64_t shim_now;
extern struct timer *shim_timer;
extern uint64_t shim_timer_deadline;

/* memory.c: allocations until they fail (-1: never), allocations not freed,
 * and what page_total() says. */
extern long shim_memory_left, shim_memory_used;
extern uint64_t shim_memory_total;

/* user.c, for uaccess.c: program memory that faults. */
extern const char *shim_bad_start, *shim_bad_end;

#endif

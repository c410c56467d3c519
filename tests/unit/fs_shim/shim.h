/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests may turn and look at in the kernel's stand-in. */
#ifndef TORIL_TESTS_UNIT_FS_SHIM_H
#define TORIL_TESTS_UNIT_FS_SHIM_H

#include <stdbool.h>
#include <stdint.h>

extern uint64_t shim_now;        /* clock_monotonic() */
extern unsigned shim_pages_used; /* allocated and not freed */
extern bool shim_no_memory;      /* kmalloc and page_alloc fail */

/* The thread sleeps: make something happen, or return false (a deadlock). */
extern bool (*shim_idle)(void);

#endif

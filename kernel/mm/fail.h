/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocations that fail on purpose, in a debug build: toril.fail_alloc=N has
 * the N-th of the kernel's after the program's start find no memory, once.
 */
#ifndef TORIL_KERNEL_MM_FAIL_H
#define TORIL_KERNEL_MM_FAIL_H

#include "kernel/lib/base.h"

#ifdef TORIL_DEBUG

/* From now on, if the command line says so.  Any context. */
void fail_alloc_start(const char *cmdline);

/* Whether this one fails; says so on the UART.  Any context. */
bool fail_alloc(void);

#else

#define fail_alloc_start(cmdline) ((void)0)
#define fail_alloc()              false

#endif
#endif

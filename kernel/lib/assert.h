/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assertions and the panic they lead to.  An assertion states an invariant
 * of our own; what a host, a device or a program gets wrong is an error
 * return, never an assertion.
 */
#ifndef TORIL_KERNEL_LIB_ASSERT_H
#define TORIL_KERNEL_LIB_ASSERT_H

#include "kernel/lib/base.h"

/* Print the message, the current thread and a backtrace on the UART and end
 * the VM.  Any context.  Does not return. */
noreturn void panic(const char *fmt, ...) printf_like(1, 2);

#define assert(cond)                                                           \
	do {                                                                   \
		if (unlikely(!(cond)))                                         \
			panic("%s:%d: assertion failed: %s", __FILE__,         \
			    __LINE__, #cond);                                  \
	} while (0)

#endif

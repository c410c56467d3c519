/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands before musl's atomic_arch.h for one thing: a_crash() there is the
 * hlt instruction, a fault for a process and a pause for a kernel.
 */
#ifndef TORIL_MUSL_ATOMIC_ARCH_H
#define TORIL_MUSL_ATOMIC_ARCH_H

#include_next "atomic_arch.h"

#undef a_crash
#define a_crash toril_crash
static inline void toril_crash()
{
	for (;;)
		*(volatile char *)0 = 0;
}

#endif

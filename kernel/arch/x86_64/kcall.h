/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel calls: how a function call by program code becomes one.
 *
 * posix/calls.def lists them.  For each, sys_NAME is a stub that program
 * code calls; it moves to the thread's kernel stack, makes the kernel code
 * below it non-pre-emptible, calls kcall_NAME, and on the way out looks for
 * a reschedule or a signal.  Leaf calls skip all that.
 */
#ifndef TORIL_KERNEL_ARCH_X86_64_KCALL_H
#define TORIL_KERNEL_ARCH_X86_64_KCALL_H

#include "kernel/lib/base.h"

struct trap_frame;

/* What the stub leaves at the top of the kernel stack, lowest first. */
struct kcall_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx; /* slow exit only */
	uint64_t result;                       /* slow exit only */
	uint64_t function;
	uint64_t args[6]; /* r9 r8 rcx rdx rsi rdi */
	uint64_t rsp;     /* of the caller: points to the return address */
};

/* If an interrupt hit between the exit's test for work and its last
 * instruction, test again. */
void kcall_rewind(struct trap_frame *f);

#endif

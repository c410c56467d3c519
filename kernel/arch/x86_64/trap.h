/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and interrupts.
 *
 * The entry code switches from the IST stack to the thread's kernel stack
 * and leaves a trap_frame there.  From then on a handler may enable
 * interrupts, and one that came from program code may sleep.
 */
#ifndef TORIL_KERNEL_ARCH_X86_64_TRAP_H
#define TORIL_KERNEL_ARCH_X86_64_TRAP_H

#include "kernel/lib/base.h"

enum trap_vector {
	TRAP_DE = 0,
	TRAP_DB = 1,
	TRAP_NMI = 2,
	TRAP_BP = 3,
	TRAP_OF = 4,
	TRAP_BR = 5,
	TRAP_UD = 6,
	TRAP_NM = 7,
	TRAP_DF = 8,
	TRAP_TS = 10,
	TRAP_NP = 11,
	TRAP_SS = 12,
	TRAP_GP = 13,
	TRAP_PF = 14,
	TRAP_MF = 16,
	TRAP_AC = 17,
	TRAP_MC = 18,
	TRAP_XM = 19,
	TRAP_EXCEPTIONS = 32,

	IRQ_FIRST = 32, /* devices: IRQ_FIRST + line */
	IRQ_LINES = 32,
	IRQ_TIMER = 64,
	IRQ_RESCHED = 65,
	IRQ_TLB = 66,
	IRQ_SPURIOUS = 79,
	TRAP_VECTORS = 80,
};

#define PF_PRESENT 1u
#define PF_WRITE   2u
#define PF_FETCH   16u

struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

void trap_load_idt(void);

/* Handler of a device's interrupt line; runs with interrupts off. */
typedef void irq_fn(void *arg);
int irq_register(unsigned line, irq_fn *fn, void *arg);

/* Spread the lines in use over all CPUs. */
void irq_spread(void);

/* The frame interrupted program code, not a kernel call. */
bool trap_from_program(const struct trap_frame *f);

/* Registers and a backtrace on the UART. */
void trap_print(const struct trap_frame *f);
void backtrace_print(uintptr_t rip, uintptr_t rbp, uintptr_t rsp);

#endif

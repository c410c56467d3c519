/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the VM when an invariant of ours is broken: a message, the
 * thread and a backtrace on the UART, then the debug-exit device, or what
 * resets a PC where there is none.
 */
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/printk.h"
#include "kernel/sched/events.h"
#include "kernel/sched/thread.h"

#define I8042_PORT      0x64
#define I8042_RESET     0xfe
#define DEBUG_EXIT_PORT 0x501
#define PANIC_CODE      0x7f

noreturn void machine_exit(uint8_t code)
{
	cpu_irq_off();
	cpu_outw(DEBUG_EXIT_PORT, code);
	cpu_outb(I8042_PORT, I8042_RESET);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* A function found its canary overwritten. */
noreturn void __stack_chk_fail(void);
noreturn void __stack_chk_fail(void)
{
	panic("a kernel stack is overwritten");
}

noreturn void panic(const char *fmt, ...)
{
	static struct cpu *first; /* [a] the CPU that reports */
	struct cpu *none = NULL, *self = cpu_boot.self ? cpu_self() : &cpu_boot;
	char text[200];
	va_list ap;
	struct thread *t;

	cpu_irq_off();
	if (!__atomic_compare_exchange_n(&first, &none, self, false,
		__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		if (none == self)
			machine_exit(PANIC_CODE);
		for (;;) /* the first one ends the VM */
			__asm__ volatile("cli; hlt");
	}
	va_start(ap, fmt);
	kvsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printk("toril: panic: %s\n", text);
	t = cpu_boot.self ? thread_current() : NULL;
	if (t)
		printk("thread %d \"%s\"\n", t->tid, t->name);
	if (cpu_boot.self)
		backtrace_print((uintptr_t)__builtin_return_address(0),
		    (uintptr_t)__builtin_frame_address(0), 0);
	events_print();
	machine_exit(PANIC_CODE);
}

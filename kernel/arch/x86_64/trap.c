/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dispatch of exceptions and interrupts, and the report of a fatal one.
 *
 * A page fault of program code, or of a kernel call that touches program
 * memory, goes to the memory manager.  Other faults of program code become
 * signals.  A fault of the kernel itself is a panic, unless the faulting
 * instruction has an entry in the exception table.
 */
#include "kernel/arch/x86_64/trap.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/boot.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/kcall.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/printk.h"
#include "kernel/mm/vm.h"
#include "kernel/sched/events.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/thread.h"

struct idt_gate {
	uint16_t offset0, selector;
	uint8_t ist, type;
	uint16_t offset1;
	uint32_t offset2, reserved;
};

struct extable_entry {
	int32_t insn, fixup; /* relative to their own address */
};

extern char trap_stubs[];
extern struct extable_entry __extable_start[], __extable_end[];

static struct idt_gate idt[TRAP_VECTORS] sealed;
static struct {
	irq_fn *fn;
	void *arg;
} irq_table[IRQ_LINES];

#define STUB_SIZE 16 /* checked against the distance of two stubs in init */

static void idt_fill(void)
{
	for (unsigned v = 0; v < TRAP_VECTORS; v++) {
		uintptr_t a = (uintptr_t)trap_stubs + v * STUB_SIZE;
		bool fatal = v == TRAP_DF || v == TRAP_NMI || v == TRAP_MC;
		idt[v] = (struct idt_gate){
		    .offset0 = (uint16_t)a,
		    .selector = SEL_CODE,
		    .ist = fatal ? 2 : 1,
		    .type = 0x8e,
		    .offset1 = (uint16_t)(a >> 16),
		    .offset2 = (uint32_t)(a >> 32),
		};
	}
}

void trap_load_idt(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = {sizeof(idt) - 1, (uintptr_t)idt};

	if (!idt[0].type)
		idt_fill();
	__asm__ volatile("lidt %0" : : "m"(idtr));
}

int irq_register(unsigned line, irq_fn *fn, void *arg)
{
	if (line >= IRQ_LINES || irq_table[line].fn)
		return -EINVAL;
	irq_table[line].arg = arg;
	irq_table[line].fn = fn;
	ioapic_enable(line, IRQ_FIRST + line, apic_id());
	return 0;
}

/* The boot CPU has its share of other work: it comes last. */
void irq_spread(void)
{
	unsigned n = 0;

	for (unsigned line = 0; line < IRQ_LINES; line++)
		if (irq_table[line].fn)
			ioapic_enable(line, IRQ_FIRST + line,
			    cpus[++n % cpus_online]->apic_id);
}

static bool on_kstack(uintptr_t sp)
{
	return cpu_self()->kstack_top - sp - 1 < KSTACK_SIZE;
}

bool trap_from_program(const struct trap_frame *f)
{
	return cpu_self()->depth == 0 && !on_kstack(f->rsp);
}

static void irq_handle(unsigned vector)
{
	if (vector == IRQ_TIMER) {
		apic_eoi();
		timer_interrupt();
	} else if (vector == IRQ_RESCHED) {
		apic_eoi();
		sched_interrupt();
	} else if (vector == IRQ_TLB) {
		apic_eoi();
		tlb_interrupt();
	} else if (vector < IRQ_FIRST + IRQ_LINES) {
		unsigned line = vector - IRQ_FIRST;
		if (irq_table[line].fn)
			irq_table[line].fn(irq_table[line].arg);
		apic_eoi();
	}
}

static const struct exception {
	char name[19];
	uint8_t signal, code;
} exceptions[TRAP_XM + 2] = {
    [TRAP_DE] = {"divide error", SIG_FPE, SI_FPE_INTDIV},
    [TRAP_DB] = {"debug", SIG_TRAP, SI_TRAP_BRKPT},
    [TRAP_BP] = {"breakpoint", SIG_TRAP, SI_KERNEL_CODE},
    [TRAP_OF] = {"overflow", SIG_SEGV, SI_KERNEL_CODE},
    [TRAP_BR] = {"bound range", SIG_SEGV, SI_KERNEL_CODE},
    [TRAP_UD] = {"invalid opcode", SIG_ILL, SI_ILL_ILLOPN},
    [TRAP_DF] = {"double fault", 0, 0},
    [TRAP_NMI] = {"NMI", 0, 0},
    [TRAP_MC] = {"machine check", 0, 0},
    [TRAP_SS] = {"stack segment", SIG_BUS, SI_KERNEL_CODE},
    [TRAP_GP] = {"general protection", SIG_SEGV, SI_KERNEL_CODE},
    [TRAP_PF] = {"page fault", SIG_SEGV, SI_SEGV_MAPERR},
    [TRAP_MF] = {"x87", SIG_FPE, SI_FPE_FLTINV},
    [TRAP_AC] = {"alignment check", SIG_BUS, SI_BUS_ADRALN},
    [TRAP_XM] = {"SIMD", SIG_FPE, SI_FPE_FLTINV},
};

/* The last one stands for those that no CPU of ours raises. */
static const struct exception *exception_of(const struct trap_frame *f)
{
	return &exceptions[min(f->vector, TRAP_XM + 1ul)];
}

void backtrace_print(uintptr_t rip, uintptr_t rbp, uintptr_t rsp)
{
	printk("image base %#lx\n", boot_info.bias);
	printk("  [<%#lx>]\n", rip);
	(void)rsp;
	for (int i = 0; i < 32; i++) {
		uintptr_t frame[2];
		if (rbp & 7 || rbp < USER_MIN ||
		    vm_peek(frame, rbp, sizeof(frame)) || !frame[1])
			break;
		printk("  [<%#lx>]\n", frame[1]);
		if (frame[0] <= rbp)
			break;
		rbp = frame[0];
	}
}

void trap_print(const struct trap_frame *f)
{
	struct thread *t = thread_current();

	printk(
	    "rip %016lx rsp %016lx rflags %08lx\n", f->rip, f->rsp, f->rflags);
	printk("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx,
	    f->rcx, f->rdx);
	printk("rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", f->rsi, f->rdi,
	    f->rbp, f->r8);
	printk("r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", f->r9, f->r10,
	    f->r11, f->r12);
	printk("r13 %016lx r14 %016lx r15 %016lx cr2 %016lx\n", f->r13, f->r14,
	    f->r15, cpu_cr2());
	if (t)
		printk("thread %d \"%s\"\n", t->tid, t->name);
	backtrace_print(f->rip, f->rbp, f->rsp);
}

static bool fixup(struct trap_frame *f)
{
	for (struct extable_entry *e = __extable_start; e < __extable_end;
	     e++) {
		if ((uintptr_t)&e->insn + (uintptr_t)(intptr_t)e->insn !=
		    f->rip)
			continue;
		f->rip = (uintptr_t)&e->fixup + (uintptr_t)(intptr_t)e->fixup;
		return true;
	}
	return false;
}

/* A page fault; 0 if it was resolved, else the signal's si_code. */
static int fault_handle(struct trap_frame *f, uintptr_t addr)
{
	unsigned access = f->error & PF_FETCH   ? VM_EXEC
			  : f->error & PF_WRITE ? VM_WRITE
						: VM_READ;

	return vm_fault(addr, access);
}

static void exception_from_program(struct trap_frame *f, uintptr_t addr)
{
	struct fault_info info = {
	    .signo = exception_of(f)->signal,
	    .code = exception_of(f)->code,
	    .addr = f->vector == TRAP_PF ? addr : f->rip,
	    .what = exception_of(f)->name,
	};

	if (f->vector == TRAP_PF) {
		int err = fault_handle(f, addr);
		if (err == 0)
			return;
		info.signo = err == -EIO      ? SIG_BUS
			     : err == -ENOMEM ? SIG_KILL
					      : SIG_SEGV;
		info.code = err == -EIO      ? SI_BUS_ADRERR
			    : err == -EACCES ? SI_SEGV_ACCERR
					     : SI_SEGV_MAPERR;
	}
	signal_fault(f, &info);
}

static void exception_from_kernel(struct trap_frame *f, uintptr_t addr)
{
	if (f->vector == TRAP_PF && addr < USER_END) {
		for (struct extable_entry *e = __extable_start;
		     e < __extable_end; e++) {
			if ((uintptr_t)&e->insn +
				(uintptr_t)(intptr_t)e->insn !=
			    f->rip)
				continue;
			if (fault_handle(f, addr) == 0)
				return;
			break;
		}
	}
	if ((f->vector == TRAP_PF || f->vector == TRAP_GP) && fixup(f))
		return;
	trap_print(f);
	panic("%s in the kernel, error %#lx, address %#lx",
	    exception_of(f)->name[0] ? exception_of(f)->name : "exception",
	    f->error, addr);
}

static void exception_handle(struct trap_frame *f, bool program)
{
	uintptr_t addr = cpu_cr2();

	if (f->rflags & RFLAGS_IF)
		cpu_irq_on();
	if (program && exception_of(f)->signal)
		exception_from_program(f, addr);
	else
		exception_from_kernel(f, addr);
	cpu_irq_off();
}

/* On the way back to program code: what became due meanwhile. */
static void work_off(struct trap_frame *f, bool program)
{
	struct cpu *c = cpu_self();

	while (c->work) {
		if (c->work & CPU_WORK_RESCHED)
			thread_preempt();
		c = cpu_self();
		if (!(c->work & CPU_WORK_SIGNAL))
			continue;
		if (!program)
			break;
		cpu_irq_on();
		signal_deliver_trap(f);
		cpu_irq_off();
	}
}

/* Called by trap_entry.S with interrupts off. */
void trap_dispatch(struct trap_frame *f);
void trap_dispatch(struct trap_frame *f)
{
	struct cpu *c = cpu_self();
	bool preemptible = c->depth == 0;
	bool program = trap_from_program(f);
	struct thread *t = c->current;
	bool was_live = t && t->vectors_live; /* as in syscall_entry */

	c->depth++;
	if (preemptible)
		t->vectors_live = true;
	if (f->vector < TRAP_EXCEPTIONS) {
		event(EVENT_FAULT, (uint32_t)f->vector);
		if (!preemptible)
			c->depth--; /* so that the handler may sleep */
		exception_handle(f, program);
		if (!preemptible)
			cpu_self()->depth++;
	} else {
		event(EVENT_IRQ, (uint32_t)f->vector);
		lockdep_irq_enter();
		irq_handle((unsigned)f->vector);
		lockdep_irq_exit();
	}
	if (preemptible) {
		kcall_rewind(f);
		work_off(f, program);
		t->vectors_live = was_live;
	}
	cpu_self()->depth--;
}

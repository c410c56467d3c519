/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Per-CPU data, reached through the GS base, and the instructions that C has
 * no words for.
 */
#ifndef TORIL_KERNEL_ARCH_X86_64_CPU_H
#define TORIL_KERNEL_ARCH_X86_64_CPU_H

#include "kernel/arch/x86_64/layout.h"
#include "kernel/lib/list.h"
#include "kernel/lib/treap.h"
#include "kernel/mm/mm_cpu.h"
#include "kernel/sched/cpumask.h"
#include "kernel/sched/spinlock.h"
#include "kernel/sched/timer.h"

struct thread;

#define CPU_WORK_RESCHED 1u /* pick another thread before returning */
#define CPU_WORK_SIGNAL  2u /* the current thread has signals to look at */

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, iomap;
} __attribute__((packed));

/*
 * Locks: [o] this CPU only, [q] rq_lock, [t] timer_lock.
 */
struct cpu {
	struct cpu *self;       /* [o] offsets known to assembly ... */
	struct thread *current; /* [o] */
	uintptr_t kstack_top;   /* [o] of the current thread */
	uint32_t depth;         /* [o] > 0: kernel code, no pre-emption */
	uint32_t work;          /* [a] CPU_WORK_* */
	uint64_t canary;        /* [i] stack protector's ... up to here */
	unsigned id;
	uint32_t apic_id;
	struct spinlock rq_lock;
	struct list rq;     /* [q] runnable threads, by run_node */
	unsigned rq_len;    /* [q] */
	int8_t rq_prio;     /* [q] of the first one; others read it as a hint */
	const void *hazard; /* [a] see hazard.h */
	struct thread *idle;
	struct thread *reap;    /* [o] dead thread whose stack is left */
	struct thread *handoff; /* [o] goes to another CPU after the switch: */
	struct cpu *handoff_to; /* [o] to this one, or NULL */
	bool handover;          /* [o] see thread_handover_begin */
	uint32_t wakes;         /* [o] see thread_wakes_begin ... */
	struct cpu *tell;       /* [o] one to be told at their end, or NULL */
	struct timer slice_timer;
	struct timer spread_timer;      /* see place_spread ... */
	uint32_t switches, spread_from; /* [o] */
	struct spinlock timer_lock;
	struct treap timers;         /* [t] */
	uint64_t timer_armed;        /* [t] deadline set in the LAPIC, or 0 */
	struct timer *timer_running; /* [t] whose callback is being called */
	uint32_t tlb_request;        /* [a] see paging.c ... */
	uint32_t tlb_stale;          /* [a] */
	uint32_t tlb_lazy;           /* [a] idle: flushes when it leaves that */
	uint32_t online;             /* [a] */
	struct mm_cpu mm;            /* [o] */
	uint64_t gdt[5];
	struct tss tss;
	uint8_t ist_entry[1024] __attribute__((aligned(16)));
	uint8_t ist_fatal[4096] __attribute__((aligned(16)));
};

extern struct cpu cpu_boot;

/* All CPUs that run, by number; grows only while the VM starts. */
extern struct cpu *cpus[CPUS_MAX];
extern unsigned cpus_online; /* [a] */

/* This CPU.  The caller must not be pre-emptible, or not care. */
static inline struct cpu *cpu_self(void)
{
	struct cpu *c;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(c));
	return c;
}

/* Load GDT, TSS, IDT and GS base of a CPU; enable its features.  Compiled code
 * may not have a canary on its stack before. */
void cpu_init(struct cpu *c);

/* What CPUID said of this machine. */
struct cpu_features {
	bool rdrand, fsgsbase, xsave, xsaveopt, x2apic, gib_pages, tcg;
	bool invariant_tsc;
	uint64_t xcr0;
	unsigned xsave_size;
};
extern struct cpu_features cpu_features;
void cpu_detect(void);

/* Register and unregister reads and writes. */
static inline uint64_t cpu_rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

static inline void cpu_wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
			 : "memory");
}

static inline void cpu_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(sub));
}

static inline uint64_t cpu_rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static inline void cpu_outb(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline uint8_t cpu_inb(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void cpu_outl(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline void cpu_outw(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static inline unsigned long cpu_irq_save(void)
{
	unsigned long flags;

	__asm__ volatile("pushf; pop %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

#define RFLAGS_IF 0x200ul

static inline void cpu_irq_restore(unsigned long flags)
{
	if (flags & RFLAGS_IF)
		__asm__ volatile("sti" : : : "memory");
}

static inline void cpu_irq_on(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void cpu_irq_off(void)
{
	__asm__ volatile("cli" : : : "memory");
}

/* Enable interrupts and halt, with no window in between. */
static inline void cpu_halt(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

/* In a loop that waits for another CPU.  QEMU's TCG leaves its loop at a PAUSE
 * and takes its global lock, which the other CPU needs then. */
static inline void cpu_relax(void)
{
	if (cpu_features.tcg)
		__asm__ volatile("" : : : "memory");
	else
		__asm__ volatile("pause" : : : "memory");
}

static inline uint64_t cpu_cr2(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

static inline uint64_t cpu_cr3(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}

static inline void cpu_set_cr3(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory");
}

static inline void cpu_invlpg(uintptr_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* Set the thread pointer register. */
void cpu_set_fs_base(uintptr_t base);

/* Vector state of the current thread, when it must survive a switch. */
void fpu_save(void *area);
void fpu_restore(const void *area);
void fpu_init_area(void *area);

/* One 64-bit random number from the CPU, or 0 where it has none. */
uint64_t cpu_random(void);

/* smp.c: start the other CPUs of the machine, and wait until they run.  Those
 * that don't within some seconds are reported. */
void smp_start(const uint8_t *apic_ids, unsigned n);
void smp_wait(void);
unsigned smp_expected(void); /* CPUs, this one and those told to start */

/* Have another CPU take an interrupt: IRQ_RESCHED or IRQ_TLB. */
void cpu_interrupt(const struct cpu *c, unsigned vector);

/* End the VM through QEMU's isa-debug-exit device; hangs where there is none.
 */
noreturn void machine_exit(uint8_t code);

#endif

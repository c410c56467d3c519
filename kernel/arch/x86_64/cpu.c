/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A CPU's own tables (GDT, TSS) and features.
 *
 * Everything runs in ring 0, so the GDT holds one code and one data segment
 * and the TSS serves only for interrupt stacks: IST 1 for all that is
 * ordinary, IST 2 for what is fatal (double fault, NMI, machine check).
 */
#include <stddef.h>
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/sched/thread.h"

static_assert(offsetof(struct cpu, self) == CPU_SELF, "layout.h");
static_assert(offsetof(struct cpu, current) == CPU_CURRENT, "layout.h");
static_assert(offsetof(struct cpu, kstack_top) == CPU_KSTACK_TOP, "layout.h");
static_assert(offsetof(struct cpu, depth) == CPU_DEPTH, "layout.h");
static_assert(offsetof(struct cpu, work) == CPU_WORK, "layout.h");
static_assert(offsetof(struct cpu, canary) == CPU_CANARY, "layout.h");
static_assert(
    offsetof(struct thread, vectors_live) == THREAD_VECTORS_LIVE, "layout.h");

#define MSR_STAR    0xc0000081
#define MSR_LSTAR   0xc0000082
#define MSR_SFMASK  0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101

#define RFLAGS_TF_DF_AC 0x40500ul

#define CR4_OSFXSR   (1ul << 9)
#define CR4_OSXMMEX  (1ul << 10)
#define CR4_FSGSBASE (1ul << 16)
#define CR4_OSXSAVE  (1ul << 18)

#define HYPERVISOR_LEAF 0x40000000

#define XSAVE_LEGACY 512 /* FXSAVE image */

extern char syscall_entry[]; /* kcall.S */

struct cpu cpu_boot __attribute__((aligned(64)));
struct cpu_features cpu_features sealed;

__attribute__((no_stack_protector)) void cpu_detect(void)
{
	struct cpu_features *f = &cpu_features;
	uint32_t r[4], max_leaf;

	cpu_cpuid(0, 0, r);
	max_leaf = r[0];
	cpu_cpuid(1, 0, r);
	f->rdrand = r[2] >> 30 & 1;
	f->xsave = r[2] >> 26 & 1;
	f->x2apic = r[2] >> 21 & 1;
	if (max_leaf >= 7) {
		cpu_cpuid(7, 0, r);
		f->fsgsbase = r[1] & 1;
	}
	cpu_cpuid(HYPERVISOR_LEAF, 0, r);
	f->tcg = r[1] == 0x54474354; /* "TCGTCGTCGTCG" */
	cpu_cpuid(0x80000001, 0, r);
	f->gib_pages = r[3] >> 26 & 1;
	f->xsave_size = XSAVE_LEGACY;
	if (f->xsave) {
		cpu_cpuid(13, 0, r);
		f->xcr0 = r[0] & 0xe7; /* x87, SSE, AVX, AVX-512 */
		cpu_cpuid(13, 1, r);
		f->xsaveopt = r[0] & 1;
	}
}

uint64_t cpu_random(void)
{
	uint64_t v;
	uint8_t ok;

	if (!cpu_features.rdrand)
		return 0;
	for (int i = 0; i < 10; i++) {
		__asm__ volatile("rdrand %0; setc %1" : "=r"(v), "=q"(ok));
		if (ok)
			return v;
	}
	return 0;
}

static void vector_init(void)
{
	uint64_t cr4;
	uint32_t r[4];

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	cr4 |= CR4_OSFXSR | CR4_OSXMMEX;
	if (cpu_features.fsgsbase)
		cr4 |= CR4_FSGSBASE;
	if (cpu_features.xsave)
		cr4 |= CR4_OSXSAVE;
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
	if (!cpu_features.xsave)
		return;
	__asm__ volatile("xsetbv"
			 :
			 : "c"(0), "a"((uint32_t)cpu_features.xcr0), "d"(0));
	cpu_cpuid(13, 0, r); /* the size for what is now switched on */
	if (cpu_features.xsave_size != r[1]) /* sealed when the last come */
		cpu_features.xsave_size = r[1];
}

__attribute__((no_stack_protector)) void cpu_init(struct cpu *c)
{
	uintptr_t tss = (uintptr_t)&c->tss;
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed))
	gdtr = {sizeof(c->gdt) - 1, (uintptr_t)c->gdt};

	c->self = c;
	c->depth = 1;
	c->tss.ist[0] = (uintptr_t)(c->ist_entry + sizeof(c->ist_entry));
	c->tss.ist[1] = (uintptr_t)(c->ist_fatal + sizeof(c->ist_fatal));
	c->tss.iomap = sizeof(c->tss);
	c->gdt[1] = 0x00af9b000000ffffull;
	c->gdt[2] = 0x00cf93000000ffffull;
	c->gdt[3] = (sizeof(c->tss) - 1) | (tss & 0xffffff) << 16 |
		    0x89ull << 40 | (tss >> 24 & 0xff) << 56;
	c->gdt[4] = tss >> 32;
	__asm__ volatile("lgdt %0; mov %1, %%ss; ltr %w2"
			 :
			 : "m"(gdtr), "r"(SEL_DATA), "r"(SEL_TSS)
			 : "memory");
	cpu_wrmsr(MSR_GS_BASE, (uintptr_t)c);
	cpu_wrmsr(MSR_STAR, (uint64_t)SEL_CODE << 32);
	cpu_wrmsr(MSR_LSTAR, (uintptr_t)syscall_entry);
	cpu_wrmsr(MSR_SFMASK, RFLAGS_TF_DF_AC);
	vector_init();
	trap_load_idt();
}

void cpu_set_fs_base(uintptr_t base)
{
	if (cpu_features.fsgsbase)
		__asm__ volatile("wrfsbase %0" : : "r"(base));
	else
		cpu_wrmsr(MSR_FS_BASE, base);
}

void fpu_init_area(void *area)
{
	uint8_t *a = area;

	memset(a, 0, cpu_features.xsave_size);
	*(uint16_t *)a = 0x37f;         /* x87 control word */
	*(uint32_t *)(a + 24) = 0x1f80; /* MXCSR */
}

void fpu_save(void *area)
{
	uint32_t lo = (uint32_t)cpu_features.xcr0;

	if (cpu_features.xsaveopt)
		__asm__ volatile("xsaveopt64 (%0)"
				 :
				 : "r"(area), "a"(lo), "d"(0)
				 : "memory");
	else if (cpu_features.xsave)
		__asm__ volatile("xsave64 (%0)"
				 :
				 : "r"(area), "a"(lo), "d"(0)
				 : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void fpu_restore(const void *area)
{
	uint32_t lo = (uint32_t)cpu_features.xcr0;

	if (cpu_features.xsave)
		__asm__ volatile("xrstor64 (%0)"
				 :
				 : "r"(area), "a"(lo), "d"(0)
				 : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables; see paging.h.  Tables are reached through the direct map.
 * Entries that lead to tables allow everything; the last level decides.
 */
#include "kernel/arch/x86_64/paging.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/boot.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/trap.h"

#define TLB_FLUSH_ALL_PAGES 32

static uint64_t *entry(uint64_t *table, uintptr_t va, int level)
{
	return &table[va >> (12 + 9 * level) & 511];
}

/* Another CPU may have been faster. */
static void table_set(uint64_t *e, struct page *p)
{
	uint64_t none = 0, v = page_to_phys(p) | PTE_P | PTE_W;

	if (!__atomic_compare_exchange_n(
		e, &none, v, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		page_unref(p);
}

static uint64_t *walk(uintptr_t va, int level, bool create)
{
	uint64_t *t = phys_to_virt(boot_info.pml4);

	for (int l = 3; l > level; l--) {
		uint64_t *e = entry(t, va, l);
		if (!(*e & PTE_P)) {
			struct page *p;
			if (!create)
				return NULL;
			p = page_alloc(0, PAGE_ZERO);
			if (!p)
				return NULL;
			table_set(e, p);
		}
		if (*e & PTE_PS)
			return NULL;
		t = phys_to_virt(*e & PTE_ADDR);
	}
	return entry(t, va, level);
}

uint64_t *pte_find(uintptr_t va, bool create)
{
	return walk(va, 0, create);
}

uintptr_t pte_skip(uintptr_t va)
{
	uintptr_t span = PAGE_SIZE;

	for (int level = 3; level > 0; level--) {
		uint64_t *e = walk(va, level, false);
		span = PAGE_SIZE << 9 * level;
		if (!e || !(*e & PTE_P))
			break;
	}
	return ALIGN_DOWN(va, span) + span;
}

void pte_table_free(uintptr_t va)
{
	uint64_t *e = walk(va, 1, false);
	paddr_t table;

	if (!e || !(*e & PTE_P) || *e & PTE_PS)
		return;
	table = *e & PTE_ADDR;
	*e = 0;
	tlb_flush(va, va + PAGE_SIZE);
	page_unref(page_from_phys(table));
}

void tlb_flush_here(uintptr_t start, uintptr_t end)
{
	if ((end - start) / PAGE_SIZE > TLB_FLUSH_ALL_PAGES) {
		cpu_set_cr3(cpu_cr3());
		return;
	}
	for (; start < end; start += PAGE_SIZE)
		cpu_invlpg(start);
}

/* What the CPUs with tlb_request set are to flush, one such at a time. */
static struct spinlock shoot_lock;
static struct {
	uintptr_t start, end; /* [shoot_lock] */
	uint32_t waiting;     /* [a] for so many CPUs */
} shoot;

void tlb_interrupt(void)
{
	struct cpu *c = cpu_self();

	if (!__atomic_exchange_n(&c->tlb_request, 0, __ATOMIC_SEQ_CST))
		return;
	tlb_flush_here(shoot.start, shoot.end);
	__atomic_sub_fetch(&shoot.waiting, 1, __ATOMIC_SEQ_CST);
}

static void shoot_locked(struct cpu *c, bool program)
{
	if (program) {
		__atomic_store_n(&c->tlb_stale, 1, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&c->tlb_lazy, __ATOMIC_SEQ_CST))
			return;
	}
	__atomic_add_fetch(&shoot.waiting, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&c->tlb_request, 1, __ATOMIC_SEQ_CST);
	cpu_interrupt(c, IRQ_TLB);
}

void tlb_flush(uintptr_t start, uintptr_t end)
{
	struct cpu *self = cpu_self();
	unsigned long flags;

	tlb_flush_here(start, end);
	if (cpus_online == 1)
		return;
	flags = cpu_irq_save();
	while (!spin_trylock(&shoot_lock)) {
		tlb_interrupt(); /* who holds it may be waiting for us */
		cpu_relax();
	}
	shoot.start = start;
	shoot.end = end;
	for (unsigned i = 0; i < cpus_online; i++)
		if (cpus[i] != self)
			shoot_locked(cpus[i], end <= USER_END);
	while (__atomic_load_n(&shoot.waiting, __ATOMIC_SEQ_CST))
		cpu_relax();
	spin_unlock_irq(&shoot_lock, flags);
}

/* Lazy is for the program's addresses; kernel stacks are always flushed. */
void tlb_lazy_enter(struct cpu *c)
{
	__atomic_store_n(&c->tlb_lazy, 1, __ATOMIC_SEQ_CST);
}

void tlb_lazy_leave(struct cpu *c)
{
	__atomic_store_n(&c->tlb_lazy, 0, __ATOMIC_SEQ_CST);
	if (__atomic_exchange_n(&c->tlb_stale, 0, __ATOMIC_SEQ_CST))
		cpu_set_cr3(cpu_cr3());
}

static void seal(const char *from, const char *to)
{
	uintptr_t start = (uintptr_t)from, end = (uintptr_t)to;

	for (uintptr_t va = start; va < end; va += PAGE_SIZE)
		*pte_find(va, false) &= ~(uint64_t)PTE_W;
	tlb_flush(start, end);
}

void image_seal(void)
{
	extern char __data_start[], __relro_end[], __sealed[], __sealed_end[];

	seal(__data_start, __relro_end);
	seal(__sealed, __sealed_end);
}

volatile void *mmio_map(uint64_t phys, size_t len)
{
	uintptr_t va = MMIO_BASE + phys;
	uintptr_t end = va + len;

	for (uintptr_t p = va & PAGE_MASK; p < end; p += PAGE_SIZE) {
		uint64_t *e = pte_find(p, true);
		if (!e)
			return NULL;
		*e = (p - MMIO_BASE) | PTE_P | PTE_W | PTE_PCD | PTE_PWT |
		     PTE_NX | PTE_A | PTE_D;
	}
	return (volatile void *)va;
}

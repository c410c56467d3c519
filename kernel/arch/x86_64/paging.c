/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables; see paging.h.  Tables are reached through the direct map.
 * Entries that lead to tables allow everything; the last level decides.
 */
#include "kernel/arch/x86_64/paging.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/boot.h"
#include "kernel/arch/x86_64/cpu.h"

#define TLB_FLUSH_ALL_PAGES 32

static uint64_t *entry(uint64_t *table, uintptr_t va, int level)
{
	return &table[va >> (12 + 9 * level) & 511];
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
			*e = page_to_phys(p) | PTE_P | PTE_W;
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

void tlb_flush(uintptr_t start, uintptr_t end)
{
	if ((end - start) / PAGE_SIZE > TLB_FLUSH_ALL_PAGES) {
		cpu_set_cr3(cpu_cr3());
		return;
	}
	for (; start < end; start += PAGE_SIZE)
		cpu_invlpg(start);
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables: walking, and keeping the TLBs in step. */
#ifndef TORIL_KERNEL_ARCH_X86_64_PAGING_H
#define TORIL_KERNEL_ARCH_X86_64_PAGING_H

#include "kernel/arch/x86_64/layout.h"
#include "kernel/mm/page.h"

#define PTE_ADDR 0x000ffffffffff000ull

/* Software bits.  PTE_COW: the page is an object's, copy it before writing.
 * PTE_SHARED: an object's page, shared; report the first write. */
#define PTE_COW    0x200
#define PTE_SHARED 0x400

/* The lowest-level entry for va, or NULL where a table is missing.  With
 * `create` missing tables are made; NULL then means no memory. */
uint64_t *pte_find(uintptr_t va, bool create);

/* Where va has no lowest-level table, the first address beyond it that may
 * have one: terabytes of nothing are passed in a few steps. */
uintptr_t pte_skip(uintptr_t va);

/* Free the lowest-level table for the 2 MiB around va, all of whose entries
 * are clear. */
void pte_table_free(uintptr_t va);

/*
 * After entries for [start, end) were cleared, made stricter or led elsewhere:
 * once this returns no CPU uses the old ones.  The caller holds no spin lock
 * that is taken with interrupts off.
 */
void tlb_flush(uintptr_t start, uintptr_t end);

/* The same for this CPU, if others may go on with the old entry for a while. */
void tlb_flush_here(uintptr_t start, uintptr_t end);

/* The interrupt by which others ask for it. */
void tlb_interrupt(void);

/* The kernel's start is over: what it and the relocation wrote, and nobody
 * else may, becomes read-only.  Once, before the program runs. */
void image_seal(void);

/* An idle CPU is not asked: it flushes when it leaves that state. */
struct cpu;
void tlb_lazy_enter(struct cpu *c);
void tlb_lazy_leave(struct cpu *c);

#endif

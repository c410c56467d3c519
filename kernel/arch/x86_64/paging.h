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

/* Free the lowest-level table for the 2 MiB around va, all of whose entries
 * are clear. */
void pte_table_free(uintptr_t va);

/* After entries for [start, end) were cleared or made stricter. */
void tlb_flush(uintptr_t start, uintptr_t end);

#endif

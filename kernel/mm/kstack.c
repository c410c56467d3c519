/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel stacks: slots of KSTACK_SLOT bytes in a part of the address space of
 * their own.  Only the upper KSTACK_SIZE bytes of a slot are ever mapped, so
 * that running off the end of a stack faults.  Freed stacks stay mapped in a
 * small cache.  Slot 0 is the boot CPU's idle thread's.
 */
#include "kernel/arch/x86_64/paging.h"
#include "kernel/lib/assert.h"
#include "kernel/mm/poison.h"
#include "kernel/mm/vm.h"
#include "kernel/sched/thread.h"

#define CACHED_MAX 8
#define SLOTS_MAX  32768

static struct spinlock kstack_lock;
/* [kstack_lock] tops of mapped, free stacks */
static uintptr_t cached[CACHED_MAX];
static unsigned nr_cached;                /* [kstack_lock] */
static uint64_t slot_map[SLOTS_MAX / 64]; /* [kstack_lock] slots in use */

static bool slot_take(unsigned *slot)
{
	slot_map[0] |= 1;
	for (unsigned i = 0; i < SLOTS_MAX / 64; i++) {
		if (slot_map[i] == UINT64_MAX)
			continue;
		unsigned bit = (unsigned)__builtin_ctzll(~slot_map[i]);
		slot_map[i] |= 1ull << bit;
		*slot = i * 64 + bit;
		return true;
	}
	return false;
}

static void unmap(uintptr_t top)
{
	uintptr_t bottom = top - KSTACK_SIZE;
	unsigned slot = (unsigned)((top - KSTACK_BASE) / KSTACK_SLOT - 1);
	struct page *page[KSTACK_SIZE / PAGE_SIZE];
	unsigned n = 0;

	for (uintptr_t va = bottom; va < top; va += PAGE_SIZE) {
		uint64_t *e = pte_find(va, false);
		if (!e || !(*e & PTE_P))
			continue;
		page[n++] = page_from_phys(*e & PTE_ADDR);
		*e = 0;
	}
	tlb_flush(bottom, top);
	while (n)
		page_unref(page[--n]);
	spin_lock(&kstack_lock);
	slot_map[slot / 64] &= ~(1ull << (slot % 64));
	spin_unlock(&kstack_lock);
}

static bool map(uintptr_t top)
{
	for (uintptr_t va = top - KSTACK_SIZE; va < top; va += PAGE_SIZE) {
		struct page *p = page_alloc(0, 0);
		uint64_t *e = p ? pte_find(va, true) : NULL;
		if (!e) {
			if (p)
				page_unref(p);
			return false;
		}
		*e = page_to_phys(p) | PTE_P | PTE_W | PTE_NX | PTE_A | PTE_D;
	}
	return true;
}

uintptr_t kstack_alloc(void)
{
	uintptr_t top = 0;
	unsigned slot = 0;
	bool ok;

	spin_lock(&kstack_lock);
	if (nr_cached)
		top = cached[--nr_cached];
	ok = top || slot_take(&slot);
	spin_unlock(&kstack_lock);
	if (top || !ok) {
		if (top)
			poison_stack(top, KSTACK_SIZE);
		return top;
	}
	top = KSTACK_BASE + (slot + 1ul) * KSTACK_SLOT;
	if (!map(top)) {
		unmap(top);
		return 0;
	}
	poison_stack(top, KSTACK_SIZE);
	return top;
}

void kstack_free(uintptr_t top)
{
	bool kept = false;

	poison_stack_check(top, KSTACK_SIZE);
	spin_lock(&kstack_lock);
	if (nr_cached < CACHED_MAX) {
		cached[nr_cached++] = top;
		kept = true;
	}
	spin_unlock(&kstack_lock);
	if (!kept)
		unmap(top);
}

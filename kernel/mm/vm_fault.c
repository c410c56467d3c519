/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of the program's regions: faulting them in, dropping, protecting.
 *
 * A present entry holds one reference on its page.  An object's page is
 * mapped read-only with PTE_COW (private) or PTE_SHARED (shared) until the
 * first write, which copies it or reports it dirty.  A region without any
 * access keeps its pages with the present bit off and PTE_NONE on.
 */
#include "kernel/arch/x86_64/paging.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/vm.h"
#include "kernel/mm/vm_pages.h"
#include "kernel/mm/vm_region.h"

#define PTE_NONE 0x800 /* software: a page is there, but PROT_NONE */

#define IMAGE_FLAG VM_LOCKED /* the image's region: mapped for ever */

static bool holds_page(uint64_t pte)
{
	return pte & (PTE_P | PTE_NONE);
}

static uint64_t prot_bits(unsigned prot, uint64_t soft)
{
	uint64_t bits = soft & (PTE_COW | PTE_SHARED);

	if (!(prot & (VM_READ | VM_WRITE | VM_EXEC)))
		return bits | PTE_NONE;
	bits |= PTE_P | PTE_A | PTE_D;
	if (!(prot & VM_EXEC))
		bits |= PTE_NX;
	if (prot & VM_WRITE && !(soft & (PTE_COW | PTE_SHARED)))
		bits |= PTE_W;
	return bits;
}

/* Pages whose entries are cleared, and that no CPU may still see when they
 * are given back. */
struct batch {
	uintptr_t start;
	unsigned n;
	struct page *page[64];
};

static void batch_free(struct batch *b, uintptr_t end)
{
	if (b->n)
		tlb_flush(b->start, end);
	while (b->n)
		page_unref(b->page[--b->n]);
}

static void batch_add(struct batch *b, uintptr_t va, struct page *p)
{
	if (b->n == ARRAY_LEN(b->page))
		batch_free(b, va);
	if (!b->n)
		b->start = va;
	b->page[b->n++] = p;
}

void pages_zap(uintptr_t start, uintptr_t end, enum zap how)
{
	struct batch b = {.n = 0};

	for (uintptr_t va = start; va < end;) {
		uintptr_t next = ALIGN_DOWN(va, 2 * MIB) + 2 * MIB;
		uint64_t *e = pte_find(va, false);
		bool whole = va % (2 * MIB) == 0 && next <= end;
		uintptr_t stop = min(next, end);

		if (!e) {
			va = pte_skip(va);
			continue;
		}
		for (; va < stop; va += PAGE_SIZE, e++) {
			uint64_t old = *e;
			if (!holds_page(old) ||
			    (how == ZAP_OBJECT &&
				!(old & (PTE_COW | PTE_SHARED))))
				continue;
			*e = 0;
			batch_add(&b, va, page_from_phys(old & PTE_ADDR));
		}
		if (whole && how == ZAP_TABLES) {
			batch_free(&b, va);
			pte_table_free(va - PAGE_SIZE);
		}
	}
	batch_free(&b, end);
}

void pages_protect(uintptr_t start, uintptr_t end, unsigned prot)
{
	for (uintptr_t va = start; va < end;) {
		uint64_t *e = pte_find(va, false);
		uintptr_t next = ALIGN_DOWN(va, 2 * MIB) + 2 * MIB;

		if (!e) {
			va = pte_skip(va);
			continue;
		}
		for (; va < min(next, end); va += PAGE_SIZE, e++)
			if (holds_page(*e))
				*e = (*e & PTE_ADDR) | prot_bits(prot, *e);
	}
	tlb_flush(start, end);
}

int pages_move(uintptr_t from, uintptr_t to, size_t len)
{
	for (uintptr_t va = from; va < from + len;) {
		uint64_t *e = pte_find(va, false);
		if (e && !pte_find(va - from + to, true))
			return -ENOMEM;
		va = e ? va + PAGE_SIZE : pte_skip(va);
	}
	for (uintptr_t va = from; va < from + len;) {
		uint64_t *e = pte_find(va, false);
		if (e && holds_page(*e)) {
			*pte_find(va - from + to, true) = *e;
			*e = 0;
		}
		va = e ? va + PAGE_SIZE : pte_skip(va);
	}
	tlb_flush(from, from + len);
	return 0;
}

/* Put a page (whose reference moves) behind va. */
static int map_locked(
    struct vm_region *r, uintptr_t va, struct page *p, uint64_t soft)
{
	uint64_t *e = pte_find(va, true);

	if (!e)
		return -ENOMEM;
	*e = page_to_phys(p) | prot_bits(r->flags, soft);
	return 0;
}

static int fault_anonymous(struct vm_region *r, uintptr_t va)
{
	struct page *p = page_alloc(0, PAGE_ZERO);
	int err;

	if (!p)
		return -ENOMEM;
	err = map_locked(r, va, p, 0);
	if (err)
		page_unref(p);
	return err;
}

/* A write to a present page whose entry does not allow it yet. */
static int fault_write(struct vm_region *r, uintptr_t va, uint64_t *e)
{
	struct page *old = page_from_phys(*e & PTE_ADDR), *p;

	if (*e & PTE_COW) {
		p = page_alloc(0, 0);
		if (!p)
			return -ENOMEM;
		memcpy(page_to_virt(p), page_to_virt(old), PAGE_SIZE);
		*e = page_to_phys(p) | prot_bits(r->flags, 0);
		tlb_flush(va, va + PAGE_SIZE);
		page_unref(old);
		return 0;
	}
	if (*e & PTE_SHARED)
		r->object->ops->page_dirty(
		    r->object, r->index + ((va - r->start) >> PAGE_SHIFT));
	*e |= PTE_W;
	tlb_flush_here(va, va + PAGE_SIZE);
	return 0;
}

/* An object's page: fetched with vm_lock free, then everything is looked at
 * again, since it may have changed. */
static int fault_object(struct vm_region *r, uintptr_t va)
{
	struct vm_object *o = r->object;
	uint64_t index = r->index + ((va - r->start) >> PAGE_SHIFT);
	uint64_t soft = r->flags & VM_SHARED ? PTE_SHARED : PTE_COW;
	uint32_t zaps = o->zaps;
	struct page *p;
	uint64_t *e;
	int err;

	__atomic_add_fetch(&o->refs, 1, __ATOMIC_RELAXED);
	mutex_unlock(&vm_lock);
	err = o->ops->page_get(o, index, &p);
	mutex_lock(&vm_lock);
	if (!err) {
		r = vm_region_find(va);
		e = pte_find(va, false);
		if (!r || r->object != o || o->zaps != zaps ||
		    (e && holds_page(*e)) ||
		    r->index + ((va - r->start) >> PAGE_SHIFT) != index)
			err = -EAGAIN;
		else
			err = map_locked(r, va, p, soft);
		if (err)
			page_unref(p);
	} else if (err != -ENOMEM) {
		err = -EIO;
	}
	mutex_unlock(&vm_lock);
	vm_object_put(o);
	mutex_lock(&vm_lock);
	return err ? err : -EAGAIN; /* a write still has to be allowed */
}

static int fault_locked(uintptr_t va, unsigned access)
{
	struct vm_region *r = vm_region_find(va);
	uint64_t *e;

	if (!r)
		return -EFAULT;
	if (r->flags & IMAGE_FLAG)
		return -EACCES; /* always mapped: protection */
	if (access == VM_READ && !(r->flags & (VM_READ | VM_WRITE | VM_EXEC)))
		return -EACCES;
	if (access != VM_READ && !(r->flags & access))
		return -EACCES;
	e = pte_find(va, false);
	if (e && *e & PTE_P) {
		if (access == VM_WRITE && !(*e & PTE_W))
			return fault_write(r, va, e);
		return 0;
	}
	return r->object ? fault_object(r, va) : fault_anonymous(r, va);
}

int vm_fault(uintptr_t addr, unsigned access)
{
	int err;

	lockdep_sleeps();
	if (addr >= USER_END)
		return -EFAULT;
	MUTEX_GUARD(&vm_lock);
	do
		err = fault_locked(addr & PAGE_MASK, access);
	while (err == -EAGAIN);
	return err;
}

/* Large pages occur in the direct map only, which needs no walk. */
paddr_t vm_translate_locked(uintptr_t va, bool write)
{
	uint64_t *e;

	if (va >= DIRECT_BASE && va < MMIO_BASE)
		return va - DIRECT_BASE;
	e = pte_find(va, false);
	if (!e || !(*e & PTE_P) || (write && !(*e & PTE_W)))
		return 0;
	return (*e & PTE_ADDR) | (va & ~PAGE_MASK);
}

int vm_peek(void *dst, uintptr_t va, size_t n)
{
	char *out = dst;

	for (; n; n--, va++) {
		uint64_t *e;
		if (va >= DIRECT_BASE && va < KSTACK_BASE)
			return -EFAULT;
		e = pte_find(va, false);
		if (!e || !(*e & PTE_P))
			return -EFAULT;
		*out++ = *(volatile char *)va;
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Physical pages: a buddy allocator over all RAM.
 *
 * RAM that was never handed out stays beyond a frontier: neither it nor its
 * struct page has been touched, so that neither boot time nor host memory
 * grows with the VM's size.  Such memory is known to be zero, which saves
 * clearing it.  Freed blocks are merged with their buddies.
 *
 * Every page has a reference count; pages that a device reads or writes are
 * pinned by a reference so that unmapping does not free them under it.
 */
#ifndef TORIL_KERNEL_MM_PAGE_H
#define TORIL_KERNEL_MM_PAGE_H

#include "kernel/lib/base.h"

typedef uint64_t paddr_t;

#define PAGE_ORDER_MAX 9 /* 2 MiB */

enum page_kind {
	PAGE_RESERVED = 0, /* image, firmware, holes, beyond the frontier */
	PAGE_FREE,
	PAGE_USED,
	PAGE_SLAB,
};

struct page {
	uint32_t next, prev; /* page numbers; free lists and slab lists */
	union {
		uint32_t refs; /* [a] PAGE_USED */
		struct {
			uint16_t free;  /* PAGE_SLAB: first free object */
			uint16_t inuse; /* PAGE_SLAB */
		};
	};
	uint8_t kind;  /* enum page_kind */
	uint8_t order; /* of the block that starts here */
	uint8_t class; /* PAGE_SLAB */
	uint8_t zero;  /* PAGE_FREE: the contents are known to be zero */
};

/* For the owner of an allocated page: what it is used for. */
static inline void page_set_kind(struct page *p, enum page_kind kind)
{
	__atomic_store_n(&p->kind, (uint8_t)kind, __ATOMIC_RELAXED);
}

#define PAGE_ZERO 1u /* flag: contents must be zero */

/*
 * Allocate 2^order pages, naturally aligned, with one reference.  NULL when
 * there are none.  Caches give way only if interrupts are on.  Any context
 * but interrupts; does not sleep.
 */
struct page *page_alloc(unsigned order, unsigned flags);

void page_ref(struct page *p);

/* Drop a reference; the last one frees the block.  Not in interrupts. */
void page_unref(struct page *p);

struct page *page_from_phys(paddr_t pa);
paddr_t page_to_phys(const struct page *p);
void *page_to_virt(const struct page *p); /* in the direct map */

void *phys_to_virt(paddr_t pa);
paddr_t virt_to_phys(const void *va); /* direct map addresses only */

/* Bytes of RAM in all, and bytes that can still be allocated. */
uint64_t page_total(void);
uint64_t page_available(void);

/* Called when page_alloc finds nothing: a cache gives back what it can and
 * returns how many pages it freed.  Must not sleep or allocate. */
typedef size_t page_reclaim_fn(size_t pages);
void page_set_reclaim(page_reclaim_fn *fn);

/* Have it do so.  Not with interrupts off. */
size_t page_reclaim(size_t pages);

struct boot_range {
	paddr_t start, end;
	bool zero; /* never written since the machine started */
};
/* Boot only: hand over the RAM, sorted, and the memory for struct page. */
void page_init(const struct boot_range *ram, unsigned n, struct page *map);

#endif

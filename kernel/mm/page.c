/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy allocator; see page.h.
 *
 * Free blocks of 2^order pages are listed by order, linked through their
 * first struct page.  The lists start empty: when they can't serve a request
 * a block is cut from the frontier, the part of RAM that was never used, as
 * large as alignment and the rest of the range allow.
 *
 * Invariant: a block is in a list iff its first page is PAGE_FREE, and two
 * free buddies of the same order never coexist.
 */
#include "kernel/mm/page.h"
#include "kernel/mm/fail.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/mm_cpu.h"
#include "kernel/mm/poison.h"
#include "kernel/sched/spinlock.h"

static_assert(sizeof(struct page) == 16, "one per page of RAM");

#define NONE   0u /* page 0 is never allocated: it ends lists */
#define RANGES 16

static struct page *map; /* [i] by page number */
own_line static struct spinlock page_lock;
static uint32_t free_list[PAGE_ORDER_MAX + 1]; /* [page_lock] */
static struct boot_range frontier[RANGES];     /* [page_lock] start moves up */
static unsigned nr_ranges;
static uint64_t total_pages, free_pages; /* [page_lock] */
static page_reclaim_fn *reclaim;

void *phys_to_virt(paddr_t pa)
{
	return (void *)(DIRECT_BASE + pa);
}

paddr_t virt_to_phys(const void *va)
{
	return (uintptr_t)va - DIRECT_BASE;
}

struct page *page_from_phys(paddr_t pa)
{
	return &map[pa >> PAGE_SHIFT];
}

paddr_t page_to_phys(const struct page *p)
{
	return (paddr_t)(p - map) << PAGE_SHIFT;
}

void *page_to_virt(const struct page *p)
{
	return phys_to_virt(page_to_phys(p));
}

static void list_add_locked(uint32_t n, unsigned order, bool zero)
{
	uint32_t head = free_list[order];

	map[n].kind = PAGE_FREE;
	map[n].order = (uint8_t)order;
	map[n].zero = zero;
	map[n].prev = NONE;
	map[n].next = head;
	if (head)
		map[head].prev = n;
	free_list[order] = n;
}

static void list_del_locked(uint32_t n)
{
	struct page *p = &map[n];

	if (p->prev)
		map[p->prev].next = p->next;
	else
		free_list[p->order] = p->next;
	if (p->next)
		map[p->next].prev = p->prev;
}

/* Give back a block, merging it with its buddy as often as that is free. */
static void block_free_locked(uint32_t n, unsigned order, bool zero)
{
	while (order < PAGE_ORDER_MAX) {
		uint32_t buddy = n ^ (1u << order);
		struct page *b = &map[buddy];
		/* Its owner may be changing that, but not to or from free. */
		if (__atomic_load_n(&b->kind, __ATOMIC_RELAXED) != PAGE_FREE ||
		    b->order != order)
			break;
		list_del_locked(buddy);
		zero = zero && b->zero;
		b->kind = PAGE_RESERVED;
		n &= ~(1u << order);
		order++;
	}
	list_add_locked(n, order, zero);
}

/* Move one block of at least `order` from the frontier to the lists. */
static bool frontier_cut_locked(unsigned order)
{
	for (unsigned i = 0; i < nr_ranges; i++) {
		struct boot_range *r = &frontier[i];
		unsigned o = PAGE_ORDER_MAX;
		uint64_t n;

		while (r->start < r->end) {
			n = r->start >> PAGE_SHIFT;
			o = PAGE_ORDER_MAX;
			while (n & ((1ull << o) - 1) ||
			       (PAGE_SIZE << o) > r->end - r->start)
				o--;
			r->start += PAGE_SIZE << o;
			if (!r->zero)
				poison_fill(phys_to_virt(n << PAGE_SHIFT),
				    PAGE_SIZE << o);
			block_free_locked((uint32_t)n, o, r->zero);
			if (o >= order)
				return true;
		}
	}
	return false;
}

/* Give back this CPU's own pages but so many; false if it had no more. */
static bool own_spill(unsigned left)
{
	struct mm_cpu *c = mm_cpu();
	bool any = c->nr_pages > left;
	unsigned long irq;

	if (!any)
		return false;
	irq = spin_lock_irq(&page_lock);
	while (c->nr_pages > left) {
		free_pages++;
		block_free_locked(c->page[--c->nr_pages], 0, false);
	}
	spin_unlock_irq(&page_lock, irq);
	return true;
}

/* Single pages come from and go to this CPU's own, which are not in the
 * lists: to those they look used. */
static uint32_t own_pop(void)
{
	struct mm_cpu *c = mm_cpu();

	return c->nr_pages ? c->page[--c->nr_pages] : NONE;
}

static void own_push(uint32_t n)
{
	struct mm_cpu *c = mm_cpu();

	map[n].zero = 0;
	if (c->nr_pages == MM_CPU_PAGES)
		own_spill(MM_CPU_PAGES / 2);
	c->page[c->nr_pages++] = n;
}

static uint32_t take_locked(unsigned order)
{
	unsigned o = order;
	uint32_t n;
	bool zero;

	do {
		for (o = order; o <= PAGE_ORDER_MAX && !free_list[o]; o++)
			;
	} while (o > PAGE_ORDER_MAX && frontier_cut_locked(order));
	if (o > PAGE_ORDER_MAX)
		return NONE;
	n = free_list[o];
	zero = map[n].zero;
	list_del_locked(n);
	while (o > order) {
		o--;
		list_add_locked(n + (1u << o), o, zero);
	}
	map[n].kind = PAGE_USED;
	map[n].order = (uint8_t)order;
	map[n].zero = zero;
	map[n].refs = 1;
	free_pages -= 1ull << order;
	return n;
}

/* From the lists, or from what can be given back to them. */
static uint32_t take(unsigned order)
{
	unsigned long irq;
	uint32_t n;

	do {
		irq = spin_lock_irq(&page_lock);
		n = take_locked(order);
		spin_unlock_irq(&page_lock, irq);
	} while (!n && (own_spill(0) || kmem_drain() ||
			   (irq & RFLAGS_IF && page_reclaim(1ul << order))));
	return n;
}

struct page *page_alloc(unsigned order, unsigned flags)
{
	uint32_t n;

	assert(order <= PAGE_ORDER_MAX);
	if (fail_alloc())
		return NULL;
	n = order ? NONE : own_pop();
	if (n)
		map[n].refs = 1;
	else
		n = take(order);
	if (!n)
		return NULL;
	poison_page_alloc(page_to_virt(&map[n]), PAGE_SIZE << order);
	if (flags & PAGE_ZERO && !map[n].zero)
		memset(page_to_virt(&map[n]), 0, PAGE_SIZE << order);
	map[n].zero = 0;
	return &map[n];
}

void page_ref(struct page *p)
{
	if (p->kind == PAGE_RESERVED)
		return; /* the image's own pages live for ever */
	assert(p->kind == PAGE_USED && p->refs > 0);
	__atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
}

void page_unref(struct page *p)
{
	unsigned long irq;

	if (p->kind == PAGE_RESERVED)
		return;
	assert(p->kind == PAGE_USED && p->refs > 0);
	if (__atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL))
		return;
	poison_page_free(page_to_virt(p), PAGE_SIZE << p->order);
	if (!p->order) {
		own_push((uint32_t)(p - map));
		return;
	}
	irq = spin_lock_irq(&page_lock);
	free_pages += 1ull << p->order;
	block_free_locked((uint32_t)(p - map), p->order, false);
	spin_unlock_irq(&page_lock, irq);
}

uint64_t page_total(void)
{
	return total_pages * PAGE_SIZE;
}

uint64_t page_available(void)
{
	return (free_pages + mm_cpu_pages()) * PAGE_SIZE;
}

size_t page_reclaim(size_t pages)
{
	return reclaim ? reclaim(pages) : 0;
}

void page_set_reclaim(page_reclaim_fn *fn)
{
	reclaim = fn;
}

void page_init(const struct boot_range *ram, unsigned n, struct page *pages)
{
	map = pages;
	for (unsigned i = 0; i < n && nr_ranges < RANGES; i++) {
		if (ram[i].start >= ram[i].end)
			continue;
		frontier[nr_ranges++] = ram[i];
		total_pages += (ram[i].end - ram[i].start) >> PAGE_SHIFT;
	}
	free_pages = total_pages;
}

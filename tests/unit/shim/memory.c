/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page.h and kmem.h over malloc.  Each object carries its size in front; each
 * page block has a struct page of its own, never used again, so that late
 * uses are found.  A "physical" address is the pointer.
 */
#include <stdlib.h>
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/page.h"
#include "tests/unit/shim/shim.h"

long shim_memory_left = -1, shim_memory_used;
uint64_t shim_memory_total = 64 * MIB;

struct object {
	size_t size, unused;
	char data[];
};

struct page_memory {
	struct page page; /* first: the handle */
	void *data;
};

static struct page_memory *last; /* the page that is known by its address */

static bool may_allocate(void)
{
	if (!shim_memory_left)
		return false;
	if (shim_memory_left > 0)
		shim_memory_left--;
	shim_memory_used++;
	return true;
}

void *kmalloc(size_t size)
{
	struct object *o;

	if (!may_allocate())
		return NULL;
	o = malloc(sizeof(*o) + size);
	assert(o);
	o->size = size;
	return o->data;
}

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	return p ? memset(p, 0, size) : NULL;
}

void kfree(void *p)
{
	if (!p)
		return;
	shim_memory_used--;
	free(container_of(p, struct object, data));
}

size_t kmem_size(const void *p)
{
	return container_of(p, struct object, data)->size;
}

void *krealloc(void *old, size_t size)
{
	void *p;

	if (old && size <= kmem_size(old))
		return old;
	p = kmalloc(size);
	if (p && old)
		memcpy(p, old, kmem_size(old));
	if (p)
		kfree(old);
	return p;
}

struct page *page_alloc(unsigned order, unsigned flags)
{
	struct page_memory *m;

	if (!may_allocate())
		return NULL;
	m = malloc(sizeof(*m));
	assert(m);
	m->data = aligned_alloc(PAGE_SIZE, PAGE_SIZE << order);
	assert(m->data);
	if (flags & PAGE_ZERO)
		memset(m->data, 0, PAGE_SIZE << order);
	m->page = (struct page){
	    .refs = 1, .kind = PAGE_USED, .order = (uint8_t)order};
	last = m;
	return &m->page;
}

void page_ref(struct page *p)
{
	assert(p->refs > 0);
	p->refs++;
}

void page_unref(struct page *p)
{
	struct page_memory *m = (struct page_memory *)p;

	assert(p->refs > 0);
	if (--p->refs)
		return;
	shim_memory_used--;
	if (m == last)
		last = NULL;
	free(m->data);
	free(m);
}

void *page_to_virt(const struct page *p)
{
	return ((const struct page_memory *)p)->data;
}

paddr_t page_to_phys(const struct page *p)
{
	return (uintptr_t)page_to_virt(p);
}

struct page *page_from_phys(paddr_t pa)
{
	static struct page reserved; /* of the program, not of a page */

	if (last && pa - (uintptr_t)last->data < PAGE_SIZE)
		return &last->page;
	return &reserved;
}

void *phys_to_virt(paddr_t pa)
{
	return (void *)(uintptr_t)pa;
}

paddr_t virt_to_phys(const void *va)
{
	return (uintptr_t)va;
}

uint64_t page_total(void)
{
	return shim_memory_total;
}

uint64_t page_available(void)
{
	return shim_memory_total / 2;
}

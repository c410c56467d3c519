/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel objects: one slab cache per size class.
 *
 * A slab is one page cut into objects of its class.  Free objects are linked
 * by index through their first two bytes; the slab's struct page holds the
 * head and the count.  Slabs with a free object are listed per class; a slab
 * that becomes empty is given back unless it is the only one listed.
 * Larger objects are whole blocks of pages.
 */
#include "kernel/mm/kmem.h"
#include "kernel/mm/fail.h"
#include "kernel/mm/mm_cpu.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/page.h"
#include "kernel/mm/poison.h"
#include "kernel/sched/spinlock.h"

#define NO_OBJECT 0xffff

static const uint16_t class_size[] = {
    16, 32, 48, 64, 96, 128, 192, 256, 336, 448, 576, 816, 1360, 2048};

#define CLASSES    ARRAY_LEN(class_size)
#define CLASS_MAX  2048
#define OBJECTS(c) (PAGE_SIZE / class_size[c])

static_assert(CLASSES == MM_CPU_CLASSES, "mm_cpu.h");

static struct {
	struct spinlock lock;
	struct page *partial; /* [lock] slabs with a free object */
	size_t taken;         /* [lock] objects in use, or kept by a CPU */
} caches[CLASSES];

/* The class of each size, in steps of 16 bytes. */
static const uint8_t class_at[] = {
    [0] = 0,
    [1] = 1,
    [2] = 2,
    [3] = 3,
    [4 ... 5] = 4,
    [6 ... 7] = 5,
    [8 ... 11] = 6,
    [12 ... 15] = 7,
    [16 ... 20] = 8,
    [21 ... 27] = 9,
    [28 ... 35] = 10,
    [36 ... 50] = 11,
    [51 ... 84] = 12,
    [85 ... 127] = 13,
};

static_assert(sizeof(class_at) == CLASS_MAX / 16, "a class for each size");

static unsigned class_of(size_t size)
{
	return class_at[size ? (size - 1) / 16 : 0];
}

static uint32_t number(const struct page *p)
{
	return p ? (uint32_t)(page_to_phys(p) >> PAGE_SHIFT) : 0;
}

static struct page *by_number(uint32_t n)
{
	return n ? page_from_phys((paddr_t)n << PAGE_SHIFT) : NULL;
}

static void partial_add_locked(unsigned c, struct page *p)
{
	struct page *head = caches[c].partial;

	p->next = number(head);
	p->prev = 0;
	if (head)
		head->prev = number(p);
	caches[c].partial = p;
}

static void partial_del_locked(unsigned c, struct page *p)
{
	struct page *next = by_number(p->next), *prev = by_number(p->prev);

	if (next)
		next->prev = p->prev;
	if (prev)
		prev->next = p->next;
	else
		caches[c].partial = next;
}

/* A slab's free list is filled lazily: `free` counts up through objects
 * never used, marked by the high bit, before it follows links. */
#define FRESH     0x8000
#define LINK_SIZE sizeof(uint16_t)

static uint16_t slab_pop(struct page *p, unsigned c)
{
	uint16_t i = p->free;
	uint16_t *obj;

	if (i & FRESH) {
		i &= (uint16_t)~FRESH;
		p->free =
		    i + 1u < OBJECTS(c) ? (uint16_t)(p->free + 1) : NO_OBJECT;
		return i;
	}
	obj = (uint16_t *)((char *)page_to_virt(p) + i * class_size[c]);
	p->free = *obj;
	return i;
}

static struct page *slab_create(unsigned c)
{
	struct page *p = page_alloc(0, 0);

	if (!p)
		return NULL;
	page_set_kind(p, PAGE_SLAB);
	p->class = (uint8_t)c;
	p->free = FRESH;
	p->inuse = 0;
	poison_fill(page_to_virt(p), PAGE_SIZE);
	return p;
}

static void *slab_alloc(unsigned c)
{
	struct page *p, *fresh = NULL;
	unsigned long irq;
	void *obj = NULL;

	irq = spin_lock_irq(&caches[c].lock);
	if (!caches[c].partial) {
		spin_unlock_irq(&caches[c].lock, irq);
		fresh = slab_create(c); /* may reclaim: no lock held */
		if (!fresh)
			return NULL;
		irq = spin_lock_irq(&caches[c].lock);
		partial_add_locked(c, fresh);
	}
	p = caches[c].partial;
	obj = (char *)page_to_virt(p) + slab_pop(p, c) * class_size[c];
	p->inuse++;
	caches[c].taken++;
	if (p->free == NO_OBJECT)
		partial_del_locked(c, p);
	spin_unlock_irq(&caches[c].lock, irq);
	return obj;
}

/* How many free objects of a class a CPU keeps: 2 KiB's worth. */
static unsigned own_most(unsigned c)
{
	unsigned n = CLASS_MAX / class_size[c];

	return n < 2 ? 2 : n > MM_CPU_OBJECTS ? MM_CPU_OBJECTS : n;
}

static void *class_alloc(unsigned c)
{
	struct mm_cpu *own = mm_cpu();
	void *obj = own->nr[c] ? own->object[c][--own->nr[c]] : slab_alloc(c);

	if (obj)
		poison_alloc(obj, class_size[c], LINK_SIZE);
	return obj;
}

static unsigned order_of(size_t size)
{
	unsigned order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

void *kmalloc(size_t size)
{
	struct page *p;

	if (size <= CLASS_MAX)
		return fail_alloc() ? NULL : class_alloc(class_of(size));
	if (size > PAGE_SIZE << PAGE_ORDER_MAX)
		return NULL;
	p = page_alloc(order_of(size), 0);
	return p ? page_to_virt(p) : NULL;
}

void *kzalloc(size_t size)
{
	struct page *p;
	void *obj;

	if (size > CLASS_MAX && size <= PAGE_SIZE << PAGE_ORDER_MAX) {
		p = page_alloc(order_of(size), PAGE_ZERO);
		return p ? page_to_virt(p) : NULL;
	}
	obj = kmalloc(size);
	if (obj)
		memset(obj, 0, size);
	return obj;
}

static void slab_free(struct page *p, void *obj)
{
	unsigned c = p->class;
	size_t off = (uintptr_t)obj & (PAGE_SIZE - 1);
	bool was_full, empty;
	unsigned long irq;

	assert(off % class_size[c] == 0);
	irq = spin_lock_irq(&caches[c].lock);
	assert(p->inuse > 0);
	was_full = p->free == NO_OBJECT;
	if (p->free == NO_OBJECT || !(p->free & FRESH)) {
		*(uint16_t *)obj = p->free;
		p->free = (uint16_t)(off / class_size[c]);
	} else {
		/* Objects never used remain: finish that list first. */
		uint16_t fresh = p->free & (uint16_t)~FRESH;
		char *base = page_to_virt(p);
		for (unsigned i = fresh; i < OBJECTS(c); i++)
			*(uint16_t *)(base + i * class_size[c]) =
			    i + 1 < OBJECTS(c) ? (uint16_t)(i + 1) : NO_OBJECT;
		*(uint16_t *)obj = fresh;
		p->free = (uint16_t)(off / class_size[c]);
	}
	p->inuse--;
	caches[c].taken--;
	if (was_full)
		partial_add_locked(c, p);
	empty = p->inuse == 0 && (caches[c].partial != p || p->next);
	if (empty)
		partial_del_locked(c, p);
	spin_unlock_irq(&caches[c].lock, irq);
	if (!empty)
		return;
	page_set_kind(p, PAGE_USED);
	p->refs = 1;
	page_unref(p);
}

static bool objects_spill(unsigned c, unsigned left)
{
	struct mm_cpu *own = mm_cpu();
	bool any = own->nr[c] > left;

	while (own->nr[c] > left) {
		void *obj = own->object[c][--own->nr[c]];
		slab_free(page_from_phys(virt_to_phys(obj)), obj);
	}
	return any;
}

static void class_free(struct page *p, void *obj)
{
	struct mm_cpu *own = mm_cpu();
	unsigned c = p->class, most = own_most(c);

	poison_free(obj, class_size[c], LINK_SIZE);
	if (own->nr[c] == most)
		objects_spill(c, most / 2);
	own->object[c][own->nr[c]++] = obj;
}

bool kmem_drain(void)
{
	bool any = false;

	for (unsigned c = 0; c < CLASSES; c++)
		any |= objects_spill(c, 0);
	return any;
}

void kfree(void *obj)
{
	struct page *p;

	if (!obj)
		return;
	p = page_from_phys(virt_to_phys(obj));
	if (p->kind == PAGE_SLAB)
		class_free(p, obj);
	else
		page_unref(p);
}

size_t kmem_size(const void *obj)
{
	const struct page *p = page_from_phys(virt_to_phys(obj));

	return p->kind == PAGE_SLAB ? class_size[p->class]
				    : PAGE_SIZE << p->order;
}

void *krealloc(void *old, size_t size)
{
	void *new;

	if (!old)
		return kmalloc(size);
	if (size <= kmem_size(old))
		return old;
	new = kmalloc(size);
	if (!new)
		return NULL;
	memcpy(new, old, kmem_size(old));
	kfree(old);
	return new;
}

unsigned kmem_class(unsigned c, size_t *live)
{
	size_t kept;

	if (c >= CLASSES)
		return 0;
	kept = mm_cpu_objects(c);
	*live = __atomic_load_n(&caches[c].taken, __ATOMIC_RELAXED);
	*live -= min(kept, *live);
	return class_size[c];
}

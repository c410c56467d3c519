/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page and object allocators with several CPUs, under ThreadSanitizer: a host
 * thread is a CPU.  They allocate, write, hand over to each other and free;
 * nothing overlaps, and all of it comes back.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include "tests/unit/cmocka.h"
#include "tests/unit/arena.h"
#include "kernel/mm/kmem.c"

#define PAGES  4096
#define CPUS   4
#define ROUNDS 60000
#define SHELF  64

static _Thread_local struct mm_cpu own;
static struct mm_cpu *all[CPUS + 1];
static pthread_barrier_t gone;

struct mm_cpu *mm_cpu(void)
{
	return &own;
}

size_t mm_cpu_objects(unsigned class)
{
	return mm_cpu()->nr[class];
}

uint64_t mm_cpu_pages(void)
{
	uint64_t n = 0;

	for (unsigned i = 0; i <= CPUS; i++)
		n += all[i] ? all[i]->nr_pages : 0;
	return n;
}

void spin_lock(struct spinlock *l)
{
	while (__atomic_exchange_n(&l->locked, 1, __ATOMIC_ACQUIRE))
		sched_yield();
}

void spin_unlock(struct spinlock *l)
{
	__atomic_store_n(&l->locked, 0, __ATOMIC_RELEASE);
}

unsigned long spin_lock_irq(struct spinlock *l)
{
	spin_lock(l);
	return 0x200;
}

void spin_unlock_irq(struct spinlock *l, unsigned long flags)
{
	(void)flags;
	spin_unlock(l);
}

void panic(const char *fmt, ...)
{
	fputs(fmt, stderr);
	abort();
}

struct piece {
	size_t size;
	unsigned char tag;
};

static _Atomic(struct piece *) objects[SHELF];
static _Atomic(struct page *) pages[SHELF];

static void piece_check(struct piece *p)
{
	unsigned char *c = (void *)(p + 1);

	for (size_t i = 0; p && i < p->size; i++)
		if (c[i] != p->tag)
			abort();
	kfree(p);
}

static void page_check(struct page *p)
{
	unsigned char *c = p ? page_to_virt(p) : NULL;

	for (size_t i = 0; p && i < PAGE_SIZE; i += 64)
		if (c[i] != c[0])
			abort();
	if (p)
		page_unref(p);
}

static void object_round(unsigned x)
{
	size_t size = x >> 8 & 511;
	struct piece *p = kmalloc(sizeof(*p) + size);

	if (!p)
		return;
	p->size = size;
	p->tag = (unsigned char)(x >> 20);
	memset(p + 1, p->tag, size);
	piece_check(atomic_exchange(&objects[x >> 3 & (SHELF - 1)], p));
}

static void page_round(unsigned x)
{
	struct page *p = page_alloc(x >> 12 & 7 ? 0 : 2, x & 8 ? PAGE_ZERO : 0);

	if (!p)
		return;
	memset(page_to_virt(p), (int)(x >> 20 & 255), PAGE_SIZE);
	page_check(atomic_exchange(&pages[x >> 3 & (SHELF - 1)], p));
}

static void *cpu(void *arg)
{
	unsigned x = (unsigned)(uintptr_t)arg * 2654435761u + 1;

	all[(uintptr_t)arg] = &own;
	for (int i = 0; i < ROUNDS; i++) {
		x = x * 1664525 + 1013904223;
		if (x >> 31)
			object_round(x);
		else
			page_round(x);
	}
	while (kmem_drain() || own_spill(0))
		;
	pthread_barrier_wait(&gone);
	return NULL;
}

static void nothing_is_lost(void **state)
{
	struct boot_range range = {2 * PAGE_SIZE, PAGES * PAGE_SIZE, true};
	pthread_t t[CPUS];

	(void)state;
	arena_start(PAGES, &range, 1);
	all[CPUS] = &own;
	pthread_barrier_init(&gone, NULL, CPUS);
	for (uintptr_t i = 0; i < CPUS; i++)
		pthread_create(&t[i], NULL, cpu, (void *)i);
	for (int i = 0; i < CPUS; i++) {
		pthread_join(t[i], NULL);
		all[i] = NULL;
	}
	for (int i = 0; i < SHELF; i++) {
		piece_check(objects[i]);
		page_check(pages[i]);
	}
	while (kmem_drain() || own_spill(0))
		;
	/* At most one empty slab a class is kept. */
	assert_in_range(
	    (page_total() - page_available()) / PAGE_SIZE, 0, CLASSES);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_lost),
	};

	return RUN_TAP(tests);
}

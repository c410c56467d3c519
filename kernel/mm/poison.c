/* SPDX-License-Identifier: BSD-2-Clause */
/* The patterns of freed memory in debug builds; see poison.h. */
#include "kernel/mm/poison.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/printk.h"
#include "kernel/lib/string.h"

#define FREED     0x6b
#define FRESH     0xa5
#define STACK     0x5a
#define STACK_MIN 1024 /* bytes that must never have been used */

/* How many bytes from the start of p are `byte`. */
static size_t same(const void *p, size_t n, uint8_t byte)
{
	const uint8_t *b = p;
	size_t i = 0;

	while (i < n && b[i] == byte)
		i++;
	return i;
}

void poison_fill(void *p, size_t n)
{
	memset(p, FREED, n);
}

void poison_free(void *p, size_t n, size_t skip)
{
	char *start = (char *)p + skip;

	if (same(start, n - skip, FREED) == n - skip)
		panic("%p, %lu bytes: freed twice", p, n);
	memset(start, FREED, n - skip);
}

void poison_alloc(void *p, size_t n, size_t skip)
{
	char *start = (char *)p + skip;
	size_t ok = same(start, n - skip, FREED);

	if (ok != n - skip)
		panic("%p, %lu bytes: written after it was freed, "
		      "byte %lu is %#x",
		    p, n, skip + ok, (uint8_t)start[ok]);
	memset(p, FRESH, n);
}

void poison_page_free(void *p, size_t n)
{
	memset(p, FREED, n);
}

void poison_page_alloc(const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i += PAGE_SIZE) {
		size_t ok = same(b + i, PAGE_SIZE, b[i] ? FREED : 0);
		if (ok != PAGE_SIZE)
			panic("page %p: written after it was freed, "
			      "byte %lu is %#x",
			    b + i, ok, b[i + ok]);
	}
}

void poison_stack(uintptr_t top, size_t size)
{
	memset((void *)(top - size), STACK, size);
}

void poison_stack_check(uintptr_t top, size_t size)
{
	static size_t least = SIZE_MAX;
	size_t left = same((void *)(top - size), size, STACK);

	if (left < STACK_MIN)
		panic("a kernel stack had %lu bytes left", left);
	if (left < __atomic_load_n(&least, __ATOMIC_RELAXED)) {
		__atomic_store_n(&least, left, __ATOMIC_RELAXED);
		printk("toril: a kernel stack used %lu bytes\n", size - left);
	}
}

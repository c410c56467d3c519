/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel objects, over the page allocator over an arena. */
#include "tests/unit/cmocka.h"
#include "tests/unit/arena.h"
#include "kernel/mm/kmem.c"

#define PAGES 2048

static void start(size_t pages)
{
	struct boot_range range = {2 * PAGE_SIZE, pages * PAGE_SIZE, true};

	memset(caches, 0, sizeof(caches));
	arena_start(PAGES, &range, 1);
}

static void sizes(void **state)
{
	(void)state;
	start(PAGES);
	for (size_t n = 1; n < 300000; n += n / 7 + 1) {
		char *p = kmalloc(n), *z = kzalloc(n);
		assert_true(p && z && kmem_size(p) >= n);
		assert_int_equal((uintptr_t)p % 16, 0);
		assert_int_equal(z[0] | z[n - 1] | z[n / 2], 0);
		memset(p, 1, kmem_size(p));
		memset(z, 2, kmem_size(z));
		assert_int_equal(p[0], 1);
		kfree(p);
		kfree(z);
	}
	assert_null(kmalloc(3 * MIB));
	assert_null(kzalloc(3 * MIB));
	kfree(NULL);
}

/* Objects never overlap, and keep what was written. */
static void random_use(void **state)
{
	static struct {
		unsigned char *p;
		size_t n;
		unsigned char tag;
	} held[1000];

	(void)state;
	start(PAGES);
	srand(3);
	for (int i = 0; i < 100000; i++) {
		int k = rand() % 1000;
		if (held[k].p) {
			for (size_t j = 0; j < held[k].n; j++)
				assert_int_equal(held[k].p[j], held[k].tag);
			kfree(held[k].p);
			held[k].p = NULL;
			continue;
		}
		held[k].n = 1 + (size_t)rand() % (rand() % 20 ? 400 : 6000);
		held[k].tag = (unsigned char)i;
		held[k].p = kmalloc(held[k].n);
		if (held[k].p)
			memset(held[k].p, held[k].tag, held[k].n);
	}
	for (int k = 0; k < 1000; k++)
		kfree(held[k].p);
	/* At most one empty slab a class is kept, and some objects. */
	assert_true(kmem_drain());
	assert_false(kmem_drain());
	assert_in_range(
	    (page_total() - page_available()) / PAGE_SIZE, 0, CLASSES);
}

static void exhaustion(void **state)
{
	void *first = NULL, **last = NULL, **p;
	unsigned n = 0, again = 0;

	(void)state;
	start(100);
	while ((p = kmalloc(100))) {
		*p = NULL;
		if (last)
			*last = p;
		else
			first = p;
		last = p;
		n++;
	}
	assert_int_equal(n, 98 * (PAGE_SIZE / 128));
	assert_null(kzalloc(16));
	assert_null(kmalloc(5000));
	while (first) {
		p = first;
		first = *p;
		kfree(p);
	}
	while (kmalloc(100))
		again++;
	assert_int_equal(again, n);
}

static void realloc_keeps(void **state)
{
	char *p = NULL;

	(void)state;
	start(PAGES);
	for (size_t n = 1; n < 1 * MIB; n = n * 2 + 3) {
		p = krealloc(p, n);
		assert_non_null(p);
		p[n - 1] = 'b';
		p[0] = 'a';
	}
	assert_int_equal(p[0], 'a');
	assert_ptr_equal(krealloc(p, 10), p);
	kfree(p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sizes),
	    cmocka_unit_test(random_use),
	    cmocka_unit_test(exhaustion),
	    cmocka_unit_test(realloc_keeps),
	};

	return RUN_TAP(tests);
}

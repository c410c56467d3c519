/* SPDX-License-Identifier: BSD-2-Clause */
/* The buddy allocator over an arena. */
#include "tests/unit/cmocka.h"
#include "tests/unit/arena.h"

bool kmem_drain(void)
{
	return false;
}

#define PAGES 2048 /* 8 MiB */

static void start(void)
{
	/* An odd beginning, a hole, a part that is not known to be zero. */
	static const struct boot_range ranges[] = {
	    {3 * PAGE_SIZE, 700 * PAGE_SIZE, true},
	    {900 * PAGE_SIZE, 1000 * PAGE_SIZE, false},
	    {1000 * PAGE_SIZE, 1000 * PAGE_SIZE, false},
	    {1001 * PAGE_SIZE, PAGES * PAGE_SIZE, true},
	};

	arena_start(PAGES, ranges, ARRAY_LEN(ranges));
	memset(arena + 900 * PAGE_SIZE, 0x55, 100 * PAGE_SIZE);
}

#define TOTAL (697u + 100u + (PAGES - 1001u))

static bool in_ram(uint64_t n)
{
	return (n >= 3 && n < 700) || (n >= 900 && n < 1000) ||
	       (n >= 1001 && n < PAGES);
}

static bool is_zero(const char *p, size_t n)
{
	return !n || (!*p && !memcmp(p, p + 1, n - 1));
}

static void all_of_it_and_back(void **state)
{
	static struct page *got[PAGES];
	static bool used[PAGES];
	unsigned n = 0;

	(void)state;
	start();
	assert_int_equal(page_total(), TOTAL * PAGE_SIZE);
	for (int round = 0; round < 3; round++) {
		memset(used, 0, sizeof(used));
		for (n = 0; (got[n] = page_alloc(0, PAGE_ZERO)); n++) {
			uint64_t at = page_to_phys(got[n]) >> PAGE_SHIFT;
			assert_true(in_ram(at) && !used[at]);
			assert_true(is_zero(page_to_virt(got[n]), PAGE_SIZE));
			memset(page_to_virt(got[n]), 0xaa, PAGE_SIZE);
			used[at] = true;
		}
		assert_int_equal(n, TOTAL);
		assert_int_equal(page_available(), 0);
		while (n--)
			page_unref(got[n]);
		assert_int_equal(page_available(), TOTAL * PAGE_SIZE);
	}
	/* All merged again: the largest block is there. */
	assert_non_null(page_alloc(PAGE_ORDER_MAX, 0));
}

static void random_orders(void **state)
{
	static struct {
		struct page *p;
		unsigned order;
		char tag;
	} held[200];
	uint64_t out = 0;

	(void)state;
	start();
	srand(2);
	for (int i = 0; i < 50000; i++) {
		int k = rand() % 200;
		unsigned order = (unsigned)rand() % 7;
		char *data;
		if (held[k].p) {
			data = page_to_virt(held[k].p);
			assert_true(data[0] == held[k].tag &&
				    !memcmp(data, data + 1,
					(PAGE_SIZE << held[k].order) - 1));
			page_unref(held[k].p);
			out -= PAGE_SIZE << held[k].order;
			held[k].p = NULL;
			continue;
		}
		held[k].p = page_alloc(order, i & 1 ? PAGE_ZERO : 0);
		if (!held[k].p)
			continue;
		held[k].order = order;
		held[k].tag = (char)i;
		data = page_to_virt(held[k].p);
		assert_int_equal(
		    page_to_phys(held[k].p) % (PAGE_SIZE << order), 0);
		if (i & 1)
			assert_true(is_zero(data, PAGE_SIZE << order));
		memset(data, i, PAGE_SIZE << order);
		out += PAGE_SIZE << order;
		assert_int_equal(page_available(), TOTAL * PAGE_SIZE - out);
	}
}

static void references(void **state)
{
	struct page *p;
	uint64_t before;

	(void)state;
	start();
	before = page_available();
	p = page_alloc(2, 0);
	page_ref(p);
	page_unref(p);
	assert_int_equal(page_available(), before - 4 * PAGE_SIZE);
	page_unref(p);
	assert_int_equal(page_available(), before);
	/* Pages outside RAM (the image's) take references silently. */
	p = page_from_phys(800 * PAGE_SIZE);
	page_ref(p);
	page_unref(p);
	page_unref(p);
	assert_int_equal(page_available(), before);
}

static struct page *hoard[50];

static size_t give_back(size_t pages)
{
	size_t n = 0;

	for (size_t i = 0; i < 50 && n < pages; i++)
		if (hoard[i]) {
			page_unref(hoard[i]);
			hoard[i] = NULL;
			n++;
		}
	return n;
}

static void reclaim_is_asked(void **state)
{
	unsigned n = 0;

	(void)state;
	start();
	for (int i = 0; i < 50; i++)
		assert_non_null(hoard[i] = page_alloc(0, 0));
	page_set_reclaim(give_back);
	while (page_alloc(0, 0))
		n++;
	assert_int_equal(n, TOTAL); /* the hoard among them */
}

static void untouched_memory_is_not_touched(void **state)
{
	static const struct boot_range all = {PAGE_SIZE, 64 * MIB, true};
	static unsigned char resident[64 * MIB / PAGE_SIZE];
	unsigned n = 0;

	(void)state;
	arena_start(64 * MIB / PAGE_SIZE, &all, 1);
	for (int i = 0; i < 10; i++)
		assert_non_null(page_alloc(0, PAGE_ZERO));
	assert_int_equal(mincore(arena, 64 * MIB, resident), 0);
	for (size_t i = 0; i < sizeof(resident); i++)
		n += resident[i] & 1;
	assert_int_equal(n, 0); /* known to be zero: not even cleared */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_of_it_and_back),
	    cmocka_unit_test(random_orders),
	    cmocka_unit_test(references),
	    cmocka_unit_test(reclaim_is_asked),
	    cmocka_unit_test(untouched_memory_is_not_touched),
	};

	return RUN_TAP(tests);
}

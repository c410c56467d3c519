/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's RAM for page.c and kmem.c, which a test includes after this:
 * their direct map is moved to an arena of the process.
 */
#ifndef TORIL_TESTS_UNIT_ARENA_H
#define TORIL_TESTS_UNIT_ARENA_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "kernel/arch/x86_64/layout.h"
#undef DIRECT_BASE
#define DIRECT_BASE ((uintptr_t)arena)

static char *arena;

#include "kernel/mm/page.c"

/* RAM of these ranges, in pages; the rest of the arena is a hole. */
static void arena_start(
    size_t pages, const struct boot_range *ranges, unsigned n)
{
	struct page *pages_map = calloc(pages, sizeof(*pages_map));

	if (arena)
		munmap(arena, 64 * MIB);
	free(map);
	arena = mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(arena, MAP_FAILED);
	memset(free_list, 0, sizeof(free_list));
	nr_ranges = 0;
	total_pages = free_pages = 0;
	reclaim = NULL;
	memset(mm_cpu(), 0, sizeof(*mm_cpu()));
	page_init(ranges, n, pages_map);
}

#endif

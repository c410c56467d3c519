/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A boot loader that says anything: the input is physical memory from 0x1000
 * on, with the start info first.  Whatever it is, the RAM taken over is
 * sorted, in whole pages, without overlaps, and the command line ends.
 */
#include <stdlib.h>
#include <string.h>
#include "kernel/arch/x86_64/layout.h"
#include "kernel/arch/x86_64/start_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE 0x1000u

static uint8_t *memory;
static size_t memory_size;

const void *start_info_memory(uint64_t pa, size_t n)
{
	/* UBSan minds what this CPU does not: structures out of line. */
	if (pa < BASE || pa - BASE > memory_size || (n > 1 && pa % 8) ||
	    n > memory_size - (pa - BASE))
		return NULL;
	return memory + (pa - BASE);
}

static void check(const struct boot_info *b)
{
	uint64_t end = AP_START_PHYS + PAGE_SIZE;

	if (b->nr_ram > BOOT_RANGES ||
	    !memchr(b->cmdline, 0, sizeof(b->cmdline)))
		abort();
	for (unsigned i = 0; i < b->nr_ram; i++) {
		const struct boot_range *r = &b->ram[i];
		if (r->start < end || r->start >= r->end ||
		    (r->start | r->end) % PAGE_SIZE || r->end > 1ull << 46)
			abort();
		end = r->end;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct boot_info info;

	memory = malloc(size ? size : 1);
	memory_size = size;
	memcpy(memory, data, size);
	memset(&info, 0, sizeof(info));
	if (!start_info_read(BASE, &info))
		check(&info);
	free(memory);
	return 0;
}

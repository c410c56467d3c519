/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the start info; see start_info.h.  It and what it points to lie
 * anywhere in RAM, and are copied before anything may be allocated over them.
 */
#include "kernel/arch/x86_64/start_info.h"
#include "kernel/arch/x86_64/layout.h"
#include "kernel/lib/string.h"

#define MEMMAP_MAX     1024u
#define PHYS_END       (1ull << 46) /* what the direct map has room for */
#define LOW_MEMORY_END 0x100000ull

/* Insert a range, keeping the array sorted; drops what does not fit. */
static void ram_add(
    struct boot_info *out, paddr_t start, paddr_t end, bool zero)
{
	struct boot_range *r = out->ram;
	unsigned i = out->nr_ram;

	start = ALIGN_UP(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	if (start >= end || i == BOOT_RANGES)
		return;
	for (; i > 0 && r[i - 1].start > start; i--)
		r[i] = r[i - 1];
	r[i] = (struct boot_range){start, end, zero};
	out->nr_ram++;
}

/* A page that two ranges claim belongs to the first. */
static void ram_untangle(struct boot_info *out)
{
	paddr_t end = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < out->nr_ram; i++) {
		struct boot_range r = out->ram[i];
		r.start = max(r.start, end);
		if (r.start >= r.end)
			continue;
		end = r.end;
		out->ram[n++] = r;
	}
	out->nr_ram = n;
}

static void cmdline_copy(uint64_t pa, struct boot_info *out)
{
	size_t len = 0;

	while (pa && len < BOOT_CMDLINE_MAX - 1) {
		const char *c = start_info_memory(pa + len, 1);
		if (!c || !*c)
			break;
		out->cmdline[len++] = *c;
	}
	out->cmdline[len] = 0;
}

const char *start_info_read(uint64_t pa, struct boot_info *out)
{
	const struct hvm_start_info *si = start_info_memory(pa, sizeof(*si));
	const struct hvm_memmap_entry *m;

	if (!si || si->magic != HVM_START_MAGIC || si->version < 1)
		return "not a PVH start info";
	if (si->memmap_entries > MEMMAP_MAX)
		return "a memory map of too many entries";
	m = start_info_memory(
	    si->memmap_paddr, si->memmap_entries * sizeof(*m));
	if (!m)
		return "a memory map out of reach";
	for (unsigned i = 0; i < si->memmap_entries; i++) {
		uint64_t end = m[i].addr + m[i].size;
		if (m[i].type != HVM_MEMMAP_RAM || end < m[i].addr ||
		    end > PHYS_END)
			continue;
		/* Page 0 is none, page 1 is where other CPUs start. */
		ram_add(out, max(m[i].addr, AP_START_PHYS + PAGE_SIZE), end,
		    m[i].addr >= LOW_MEMORY_END);
	}
	ram_untangle(out);
	out->rsdp = si->rsdp_paddr;
	cmdline_copy(si->cmdline_paddr, out);
	return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the start info; see start_info.h.  It and what it points to lie
 * anywhere in RAM, and are copied before anything may be allocated over them.
 */
#include <asm/bootparam.h>
#include "kernel/arch/x86_64/start_info.h"
#include "kernel/arch/x86_64/layout.h"
#include "kernel/lib/string.h"

#define MEMMAP_MAX     1024u
#define LINUX_MAGIC    0x53726448u  /* "HdrS" */
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

static void memory_take(struct boot_info *out, uint64_t start, uint64_t size,
    uint32_t type, bool zero)
{
	uint64_t end = start + size;

	if (type != HVM_MEMMAP_RAM || end < start || end > PHYS_END)
		return;
	/* Page 0 is none, page 1 is where other CPUs start. */
	ram_add(out, max(start, AP_START_PHYS + PAGE_SIZE), end,
	    zero && start >= LOW_MEMORY_END);
}

static const char *pvh_read(
    const struct hvm_start_info *si, struct boot_info *out)
{
	const struct hvm_memmap_entry *m;

	if (si->memmap_entries > MEMMAP_MAX)
		return "a memory map of too many entries";
	m = start_info_memory(
	    si->memmap_paddr, si->memmap_entries * sizeof(*m));
	if (!m)
		return "a memory map out of reach";
	for (unsigned i = 0; i < si->memmap_entries; i++)
		memory_take(out, m[i].addr, m[i].size, m[i].type, true);
	out->rsdp = si->rsdp_paddr;
	cmdline_copy(si->cmdline_paddr, out);
	return NULL;
}

/* A loader of this kind may have run for long: its memory is not zero. */
static const char *linux_read(
    const struct boot_params *p, struct boot_info *out)
{
	const struct boot_e820_entry *e = p->e820_table;

	if (p->e820_entries > ARRAY_LEN(p->e820_table))
		return "a memory map of too many entries";
	for (unsigned i = 0; i < p->e820_entries; i++, e++)
		memory_take(out, e->addr, e->size, e->type, false);
	out->rsdp = p->acpi_rsdp_addr;
	cmdline_copy(
	    p->hdr.cmd_line_ptr | (uint64_t)p->ext_cmd_line_ptr << 32, out);
	return NULL;
}

const char *start_info_read(uint64_t pa, struct boot_info *out)
{
	const struct hvm_start_info *si = start_info_memory(pa, sizeof(*si));
	const struct boot_params *p = start_info_memory(pa, sizeof(*p));
	const char *wrong = "neither PVH's start info nor Linux's boot_params";

	if (si && si->magic == HVM_START_MAGIC && si->version >= 1)
		wrong = pvh_read(si, out);
	else if (p && p->hdr.header == LINUX_MAGIC)
		wrong = linux_read(p, out);
	ram_untangle(out);
	return wrong;
}

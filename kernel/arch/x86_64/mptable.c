/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MP table; see mptable.h.
 *
 * QEMU's firmware leaves the entry count 0, so that entries are walked by the
 * table's length; and it leaves a false signature in the BIOS area, so that
 * alignment and checksum of the pointer decide.
 */
#include "kernel/arch/x86_64/mptable.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/lib/string.h"

#define HEADER_SIZE  44
#define POINTER_SIZE 16

#define EBDA_START 0x9fc00u /* last KiB of base memory, and QEMU's choice */
#define EBDA_SIZE  0x400u
#define BIOS_START 0xf0000u
#define BIOS_SIZE  0x10000u

enum entry_type {
	ENTRY_CPU = 0,
	ENTRY_BUS = 1,
	ENTRY_IOAPIC = 2,
	ENTRY_IRQ = 3,
	ENTRY_LINT = 4,
};

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static bool checksum_ok(const uint8_t *p, size_t n)
{
	uint8_t sum = 0;

	while (n--)
		sum = (uint8_t)(sum + *p++);
	return sum == 0;
}

size_t mptable_length(const uint8_t *p)
{
	size_t len = p[4] | (size_t)p[5] << 8;

	return memcmp(p, "PCMP", 4) || len < HEADER_SIZE ? 0 : len;
}

static void cpu_entry(const uint8_t *e, struct mptable *out)
{
	bool enabled = e[3] & 1;

	if (enabled && out->nr_cpus < MPTABLE_CPUS_MAX)
		out->apic_id[out->nr_cpus++] = e[1];
}

bool mptable_parse(const uint8_t *p, size_t n, struct mptable *out)
{
	size_t at = HEADER_SIZE;

	memset(out, 0, sizeof(*out));
	if (n < HEADER_SIZE || mptable_length(p) != n || !checksum_ok(p, n))
		return false;
	out->lapic_addr = le32(p + 36);
	while (at < n) {
		size_t size = p[at] == ENTRY_CPU ? 20 : 8;
		if (p[at] > ENTRY_LINT || size > n - at)
			return false;
		if (p[at] == ENTRY_CPU)
			cpu_entry(p + at, out);
		else if (p[at] == ENTRY_IOAPIC && p[at + 3] & 1 &&
			 !out->ioapic_addr)
			out->ioapic_addr = le32(p + at + 4);
		at += size;
	}
	return true;
}

uint32_t mptable_find(const uint8_t *p, size_t n)
{
	for (size_t at = 0; at + POINTER_SIZE <= n; at += POINTER_SIZE)
		if (!memcmp(p + at, "_MP_", 4) && p[at + 8] == 1 &&
		    checksum_ok(p + at, POINTER_SIZE))
			return le32(p + at + 4);
	return 0;
}

static const uint8_t *map(uint32_t phys, size_t n)
{
	return (const uint8_t *)(uintptr_t)mmio_map(phys, n);
}

bool mptable_read(struct mptable *out)
{
	const uint8_t *p = map(EBDA_START, EBDA_SIZE);
	uint32_t at = p ? mptable_find(p, EBDA_SIZE) : 0;
	size_t len;

	if (!at && (p = map(BIOS_START, BIOS_SIZE)))
		at = mptable_find(p, BIOS_SIZE);
	if (!at || at > 0x100000 - HEADER_SIZE)
		return false;
	p = map(at, HEADER_SIZE);
	len = p ? mptable_length(p) : 0;
	p = len ? map(at, len) : NULL;
	return p && mptable_parse(p, len, out);
}

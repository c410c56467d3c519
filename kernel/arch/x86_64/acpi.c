/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI's list of CPUs; see acpi.h. */
#include "kernel/arch/x86_64/acpi.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/lib/string.h"

#define RSDP_SIZE1  20 /* of version 1 */
#define RSDP_SIZE2  36
#define HEADER_SIZE 36
#define MADT_SIZE   44 /* without its entries */
#define TABLE_MAX   (64 * KIB)

enum madt_type {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_LAPIC_ADDRESS = 5,
	MADT_X2APIC = 9,
};

#define LAPIC_ENABLED 1u

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static uint64_t le64(const uint8_t *p)
{
	return le32(p) | (uint64_t)le32(p + 4) << 32;
}

static bool checksum_ok(const uint8_t *p, size_t n)
{
	uint8_t sum = 0;

	while (n--)
		sum = (uint8_t)(sum + *p++);
	return sum == 0;
}

uint64_t acpi_rsdp_parse(const uint8_t *p, size_t n, unsigned *entry_size)
{
	if (n < RSDP_SIZE1 || memcmp(p, "RSD PTR ", 8) ||
	    !checksum_ok(p, RSDP_SIZE1))
		return 0;
	if (p[15] >= 2 && n >= RSDP_SIZE2 && checksum_ok(p, RSDP_SIZE2) &&
	    le64(p + 24)) {
		*entry_size = 8;
		return le64(p + 24);
	}
	*entry_size = 4;
	return le32(p + 16);
}

size_t acpi_length(const uint8_t *p, const char *signature)
{
	size_t len = le32(p + 4);

	return memcmp(p, signature, 4) || len < HEADER_SIZE || len > TABLE_MAX
		   ? 0
		   : len;
}

static void cpu_add(uint32_t id, uint32_t flags, struct mptable *out)
{
	if (flags & LAPIC_ENABLED && id <= UINT8_MAX &&
	    out->nr_cpus < MPTABLE_CPUS_MAX)
		out->apic_id[out->nr_cpus++] = (uint8_t)id;
}

static void entry(const uint8_t *e, size_t size, struct mptable *out)
{
	if (e[0] == MADT_LAPIC && size >= 8)
		cpu_add(e[3], le32(e + 4), out);
	else if (e[0] == MADT_X2APIC && size >= 16)
		cpu_add(le32(e + 4), le32(e + 8), out);
	else if (e[0] == MADT_IOAPIC && size >= 12 && !le32(e + 8))
		out->ioapic_addr = le32(e + 4); /* the one of line 0 */
	else if (e[0] == MADT_LAPIC_ADDRESS && size >= 12 && !le32(e + 8))
		out->lapic_addr = le32(e + 4);
}

bool acpi_madt_parse(const uint8_t *p, size_t n, struct mptable *out)
{
	memset(out, 0, sizeof(*out));
	if (n < MADT_SIZE || acpi_length(p, "APIC") != n || !checksum_ok(p, n))
		return false;
	out->lapic_addr = le32(p + HEADER_SIZE);
	for (size_t at = MADT_SIZE; at < n; at += p[at + 1]) {
		if (n - at < 2 || p[at + 1] < 2 || p[at + 1] > n - at)
			return false;
		entry(p + at, p[at + 1], out);
	}
	return out->nr_cpus > 0;
}

/* The whole of a table, or NULL. */
static const uint8_t *table_map(
    uint64_t phys, const char *signature, size_t *len)
{
	const uint8_t *p = NULL;

	if (phys && phys < 1ull << 46)
		p = (const uint8_t *)(uintptr_t)mmio_map(phys, HEADER_SIZE);
	*len = p ? acpi_length(p, signature) : 0;
	return *len ? (const uint8_t *)(uintptr_t)mmio_map(phys, *len) : NULL;
}

bool acpi_read(uint64_t rsdp, struct mptable *out)
{
	const uint8_t *p = NULL, *root, *madt;
	unsigned size = 0;
	uint64_t at;
	size_t n, len;

	if (rsdp && rsdp < 1ull << 32)
		p = (const uint8_t *)(uintptr_t)mmio_map(rsdp, RSDP_SIZE2);
	at = p ? acpi_rsdp_parse(p, RSDP_SIZE2, &size) : 0;
	root = table_map(at, size == 8 ? "XSDT" : "RSDT", &n);
	if (!root)
		return false;
	for (size_t i = HEADER_SIZE; i + size <= n; i += size) {
		at = size == 8 ? le64(root + i) : le32(root + i);
		madt = table_map(at, "APIC", &len);
		if (madt)
			return acpi_madt_parse(madt, len, out);
	}
	return false;
}

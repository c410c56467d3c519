/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI's tables: good ones, and ways to be bad ones. */
#include <string.h>
#include "tests/unit/cmocka.h"
#include "kernel/arch/x86_64/acpi.h"
#include "kernel/arch/x86_64/apic.h"

/* Physical memory, as far as there is any. */
static uint8_t memory[4096];

volatile void *mmio_map(uint64_t phys, size_t len)
{
	return phys + len <= sizeof(memory) ? memory + phys : NULL;
}

static void seal(uint8_t *p, size_t n, size_t at)
{
	uint8_t sum = 0;

	p[at] = 0;
	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + p[i]);
	p[at] = (uint8_t)-sum;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* CPU 3, a disabled one, CPU 7 by x2APIC, two IOAPICs. */
static size_t madt_build(uint8_t *p)
{
	static const uint8_t entries[] = {
	    0, 8, 0, 3, 1, 0, 0, 0,                          /* LAPIC */
	    0, 8, 1, 4, 0, 0, 0, 0,                          /* disabled */
	    9, 16, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, /* x2APIC */
	    1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,       /* IOAPIC */
	    1, 12, 1, 0, 0, 0, 0xc1, 0xfe, 24, 0, 0, 0,      /* the second */
	    200, 2,                                          /* of the future */
	};
	size_t n = 44 + sizeof(entries);

	memset(p, 0, 44);
	memcpy(p, "APIC", 4);
	put32(p + 4, (uint32_t)n);
	put32(p + 36, 0xfee00000);
	memcpy(p + 44, entries, sizeof(entries));
	seal(p, n, 9);
	return n;
}

static void madt_is_right(const struct mptable *t)
{
	assert_int_equal(t->nr_cpus, 2);
	assert_int_equal(t->apic_id[0], 3);
	assert_int_equal(t->apic_id[1], 7);
	assert_int_equal(t->lapic_addr, 0xfee00000);
	assert_int_equal(t->ioapic_addr, 0xfec00000);
}

static void a_good_madt(void **state)
{
	uint8_t p[256];
	struct mptable t;
	size_t n = madt_build(p);

	(void)state;
	assert_true(acpi_madt_parse(p, n, &t));
	madt_is_right(&t);
}

static void bad_madts(void **state)
{
	uint8_t p[256];
	struct mptable t;
	size_t n = madt_build(p);

	(void)state;
	p[44] ^= 1; /* checksum */
	assert_false(acpi_madt_parse(p, n, &t));
	n = madt_build(p);
	assert_false(acpi_madt_parse(p, n - 1, &t));
	assert_false(acpi_madt_parse(p, 40, &t));
	p[45] = 0; /* an entry without an end */
	seal(p, n, 9);
	assert_false(acpi_madt_parse(p, n, &t));
	p[45] = 255; /* one that goes beyond it */
	seal(p, n, 9);
	assert_false(acpi_madt_parse(p, n, &t));
	n = madt_build(p);
	p[48] = p[56 + 8] = 0; /* no CPU is usable */
	p[68] = 0;
	seal(p, n, 9);
	assert_false(acpi_madt_parse(p, n, &t));
}

static void root_build(const char *signature, unsigned size)
{
	uint8_t *rsdp = memory + 64, *root = memory + 256;
	size_t n = 36 + 2 * size;

	memset(memory, 0, sizeof(memory));
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = size == 8 ? 2 : 0;
	if (size == 4)
		put32(rsdp + 16, 256);
	else
		rsdp[24] = 0, rsdp[25] = 1;
	seal(rsdp, 20, 8);
	seal(rsdp, 36, 32);
	memcpy(root, signature, 4);
	put32(root + 4, (uint32_t)n);
	put32(root + 36, 0x7fffff00); /* not there */
	put32(root + 36 + size, 512);
	seal(root, n, 9);
	madt_build(memory + 512);
}

static void from_the_root(void **state)
{
	struct mptable t;

	(void)state;
	root_build("RSDT", 4);
	assert_true(acpi_read(64, &t));
	madt_is_right(&t);
	root_build("XSDT", 8);
	assert_true(acpi_read(64, &t));
	madt_is_right(&t);
	memory[64] = 'X';
	assert_false(acpi_read(64, &t));
	root_build("RSDT", 4);
	memory[512] = 'X';
	assert_false(acpi_read(64, &t));
	assert_false(acpi_read(0, &t));
	assert_false(acpi_read(1ull << 40, &t));
	assert_false(acpi_read(sizeof(memory) - 8, &t));
}

/* Any single byte wrong: no crash, and no table by a wrong sum. */
static void every_byte(void **state)
{
	uint8_t p[256];
	struct mptable t;
	size_t n = madt_build(p);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (int v = 1; v < 256; v++) {
			p[i] = (uint8_t)(p[i] + v);
			assert_false(acpi_madt_parse(p, n, &t));
			p[i] = (uint8_t)(p[i] - v);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_madt),
	    cmocka_unit_test(bad_madts),
	    cmocka_unit_test(from_the_root),
	    cmocka_unit_test(every_byte),
	};

	return RUN_TAP(tests);
}

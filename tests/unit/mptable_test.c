/* SPDX-License-Identifier: BSD-2-Clause */
/* The MP table: a good one, and all the ways to be a bad one. */
#include <string.h>
#include "tests/unit/cmocka.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/mptable.h"

#define HEADER 44

/* mptable_read, which looks into physical memory, is not called here. */
volatile void *mmio_map(uint64_t phys, size_t len)
{
	(void)phys;
	(void)len;
	return NULL;
}

static void seal(uint8_t *p, size_t n, size_t at)
{
	uint8_t sum = 0;

	p[at] = 0;
	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + p[i]);
	p[at] = (uint8_t)-sum;
}

/* Two CPUs, of which the second is disabled, a bus, an IOAPIC. */
static size_t build(uint8_t *p)
{
	size_t n = HEADER;

	memset(p, 0, 256);
	memcpy(p, "PCMP", 4);
	p[36] = 0x00, p[37] = 0x00, p[38] = 0xe0, p[39] = 0xfe;
	p[n] = 0, p[n + 1] = 5, p[n + 3] = 1;
	n += 20;
	p[n] = 0, p[n + 1] = 6, p[n + 3] = 0;
	n += 20;
	p[n] = 1;
	n += 8;
	p[n] = 2, p[n + 3] = 1, p[n + 6] = 0xc0, p[n + 7] = 0xfe;
	n += 8;
	p[4] = (uint8_t)n;
	seal(p, n, 7);
	return n;
}

static void a_good_table(void **state)
{
	uint8_t p[256];
	struct mptable t;
	size_t n = build(p);

	(void)state;
	assert_int_equal(mptable_length(p), n);
	assert_true(mptable_parse(p, n, &t));
	assert_int_equal(t.nr_cpus, 1);
	assert_int_equal(t.apic_id[0], 5);
	assert_int_equal(t.lapic_addr, 0xfee00000);
	assert_int_equal(t.ioapic_addr, 0xfec00000);
}

static void bad_tables(void **state)
{
	uint8_t p[256];
	struct mptable t;
	size_t n = build(p);

	(void)state;
	p[50] ^= 1; /* checksum */
	assert_false(mptable_parse(p, n, &t));
	n = build(p);
	assert_false(mptable_parse(p, n - 1, &t));
	assert_false(mptable_parse(p, 10, &t));
	p[0] = 'X';
	assert_int_equal(mptable_length(p), 0);
	n = build(p);
	p[HEADER + 40] = 9; /* no such kind of entry */
	seal(p, n, 7);
	assert_false(mptable_parse(p, n, &t));
	n = build(p);
	p[4] = (uint8_t)(n - 4); /* the last entry is cut */
	seal(p, n - 4, 7);
	assert_false(mptable_parse(p, n - 4, &t));
}

static void more_cpus_than_there_can_be(void **state)
{
	static uint8_t p[HEADER + 300 * 20];
	struct mptable t;

	(void)state;
	memcpy(p, "PCMP", 4);
	p[4] = sizeof(p) & 255, p[5] = sizeof(p) >> 8;
	for (size_t i = 0; i < 300; i++)
		p[HEADER + 20 * i + 3] = 1;
	seal(p, sizeof(p), 7);
	assert_true(mptable_parse(p, sizeof(p), &t));
	assert_int_equal(t.nr_cpus, MPTABLE_CPUS_MAX);
}

static void the_pointer(void **state)
{
	uint8_t p[64] = {0};

	(void)state;
	assert_int_equal(mptable_find(p, sizeof(p)), 0);
	memcpy(p + 8, "_MP_", 4); /* not aligned: as QEMU's BIOS has it */
	p[16] = 1;
	seal(p + 8, 16, 10);
	assert_int_equal(mptable_find(p, sizeof(p)), 0);
	memcpy(p + 32, "_MP_\x78\x56\x34\x12\x01", 9);
	assert_int_equal(mptable_find(p, sizeof(p)), 0); /* checksum */
	seal(p + 32, 16, 10);
	assert_int_equal(mptable_find(p, sizeof(p)), 0x12345678);
	assert_int_equal(mptable_find(p, 40), 0); /* cut */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_table),
	    cmocka_unit_test(bad_tables),
	    cmocka_unit_test(more_cpus_than_there_can_be),
	    cmocka_unit_test(the_pointer),
	};

	return RUN_TAP(tests);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The firmware's tables: MP table, RSDP and MADT.  The input's first byte
 * chooses; checksums are put right, or nothing would get past them.  The
 * last choice makes physical memory of the input, and follows pointers in it.
 */
#include <stdlib.h>
#include <string.h>
#include "kernel/arch/x86_64/acpi.h"
#include "kernel/arch/x86_64/apic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAPPED_MAX 64

static const uint8_t *memory;
static size_t memory_size;
static uint8_t *mapped[MAPPED_MAX]; /* each of the size asked for */
static unsigned nr_mapped;

volatile void *mmio_map(uint64_t phys, size_t len)
{
	uint8_t *p;

	if (nr_mapped == MAPPED_MAX || len > 1 << 20)
		return NULL;
	p = mapped[nr_mapped++] = calloc(1, len);
	for (size_t i = 0; memory_size && i < len; i++)
		p[i] = memory[(phys + i) % memory_size];
	return p;
}

static void seal(uint8_t *p, size_t n, size_t at)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + p[i]);
	p[at] = (uint8_t)(p[at] - sum);
}

static void parse(uint8_t how, uint8_t *p, size_t n)
{
	struct mptable t = {0};
	unsigned entry = 0;

	if (how == 0 && n >= 44) {
		p[4] = (uint8_t)n;
		p[5] = (uint8_t)(n >> 8);
		seal(p, n, 7);
		mptable_parse(p, n, &t);
	} else if (how == 1 && n >= 36) {
		seal(p, 20, 8);
		seal(p, 36, 32);
		if (acpi_rsdp_parse(p, n, &entry) && entry != 4 && entry != 8)
			abort();
	} else if (how == 2 && n >= 44) {
		for (int i = 0; i < 4; i++)
			p[4 + i] = (uint8_t)(n >> 8 * i);
		seal(p, n, 9);
		acpi_madt_parse(p, n, &t);
	} else if (how == 3) {
		memory = p;
		memory_size = n;
		if (!acpi_read(0x1000, &t))
			mptable_read(&t);
	} else {
		mptable_find(p, n);
	}
	if (t.nr_cpus > MPTABLE_CPUS_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (!size)
		return 0;
	copy = malloc(size); /* the size itself, so that ASan sees its end */
	memcpy(copy, data + 1, size - 1);
	copy = realloc(copy, size > 1 ? size - 1 : 1);
	parse(data[0] % 5, copy, size - 1);
	free(copy);
	memory_size = 0;
	while (nr_mapped)
		free(mapped[--nr_mapped]);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The MP table: Intel MultiProcessor Specification 1.4, chapter 4. */
#ifndef TORIL_KERNEL_ARCH_X86_64_MPTABLE_H
#define TORIL_KERNEL_ARCH_X86_64_MPTABLE_H

#include "kernel/lib/base.h"

#define MPTABLE_CPUS_MAX 255

struct mptable {
	unsigned nr_cpus; /* usable ones */
	uint8_t apic_id[MPTABLE_CPUS_MAX];
	uint32_t lapic_addr, ioapic_addr; /* physical; 0: none listed */
};

/* Length of the configuration table whose header is at p (44 bytes must be
 * there), or 0 if it is no such header. */
size_t mptable_length(const uint8_t *p);

/* Parse a configuration table of n bytes.  Any bytes are fine; false if it
 * is malformed (signature, length, checksum). */
bool mptable_parse(const uint8_t *p, size_t n, struct mptable *out);

/* The physical address in the floating pointer structure within n bytes at
 * p, or 0 if there is none. */
uint32_t mptable_find(const uint8_t *p, size_t n);

/* Boot: look where the specification says.  False if there is no table. */
bool mptable_read(struct mptable *out);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs and IOAPICs in ACPI's tables (ACPI 6.4, sections 5.2.5 to 5.2.12): the
 * MADT, found through the RSDP that the boot loader names.
 */
#ifndef TORIL_KERNEL_ARCH_X86_64_ACPI_H
#define TORIL_KERNEL_ARCH_X86_64_ACPI_H

#include "kernel/arch/x86_64/mptable.h"

/* Parse an RSDP of n bytes: where the RSDT or XSDT is, and how long each of
 * its entries is (4 or 8); 0 if it is none.  Any bytes are fine. */
uint64_t acpi_rsdp_parse(const uint8_t *p, size_t n, unsigned *entry_size);

/* Length of the table whose header is at p (36 bytes must be there) if it
 * has that signature of 4 characters, else 0. */
size_t acpi_length(const uint8_t *p, const char *signature);

/* Parse a MADT of n bytes.  Any bytes are fine; false if it is malformed. */
bool acpi_madt_parse(const uint8_t *p, size_t n, struct mptable *out);

/* Boot: follow the RSDP at that physical address.  False if that leads to no
 * usable MADT. */
bool acpi_read(uint64_t rsdp, struct mptable *out);

#endif

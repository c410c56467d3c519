/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a boot loader hands over: PVH's start info (Xen's docs/misc/pvh.pandoc),
 * or boot_params (Linux's Documentation/arch/x86/zero-page.rst).
 */
#ifndef TORIL_KERNEL_ARCH_X86_64_START_INFO_H
#define TORIL_KERNEL_ARCH_X86_64_START_INFO_H

#include "kernel/arch/x86_64/boot.h"

struct hvm_start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr, memmap_paddr;
	uint32_t memmap_entries, reserved;
};

struct hvm_memmap_entry {
	uint64_t addr, size;
	uint32_t type, reserved;
};

#define HVM_START_MAGIC 0x336ec578u
#define HVM_MEMMAP_RAM  1u

/* The caller's: n bytes of physical memory at pa, or NULL where there is no
 * way to read them all. */
const void *start_info_memory(uint64_t pa, size_t n);

/*
 * Copy what is needed of what is at physical address pa, which says by its
 * magic number which of the two it is: RAM, sorted
 * and without overlaps, in whole pages above the one where other CPUs start;
 * the command line; the RSDP's address.  Any bytes are fine.  NULL, or what is
 * wrong with it.  Does not sleep; runs before there is a canary.
 */
const char *start_info_read(uint64_t pa, struct boot_info *out);

#endif

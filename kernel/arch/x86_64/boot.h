/* SPDX-License-Identifier: BSD-2-Clause */
/* What the boot loader told us, copied out of its memory. */
#ifndef TORIL_KERNEL_ARCH_X86_64_BOOT_H
#define TORIL_KERNEL_ARCH_X86_64_BOOT_H

#include "kernel/mm/page.h"

#define BOOT_RANGES      16
#define BOOT_CMDLINE_MAX 1024

struct boot_info {
	struct boot_range ram[BOOT_RANGES]; /* free, sorted */
	unsigned nr_ram;
	paddr_t page_map; /* memory for the struct page array */
	uint64_t nr_pages;
	paddr_t pml4, rsdp;
	uintptr_t bias; /* virtual address - link address of the image */
	char cmdline[BOOT_CMDLINE_MAX];
};

extern struct boot_info boot_info;

/* kernel/init.c: everything after the relocation. */
noreturn void kernel_main(void);
noreturn void boot_relocated(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual address space.
 *
 *	0x0000000000000000  64 KiB never mapped
 *	0x0000100000000000  the image, at a random page; the heap (brk) behind
 *	0x0000700000000000  mappings, stacks, top down
 *	0xffff800000000000  all RAM, at its physical address (never executable)
 *	0xffffc00000000000  device registers, at their physical address
 *	0xffffd00000000000  kernel stacks, each above a guard
 *
 * For assembly as well.
 */
#ifndef TORIL_KERNEL_ARCH_X86_64_LAYOUT_H
#define TORIL_KERNEL_ARCH_X86_64_LAYOUT_H

#define IMAGE_PHYS    0x100000
#define AP_START_PHYS 0x1000
#define IMAGE_BASE    0x0000100000000000
#define USER_MIN      0x10000
#define USER_MMAP_END 0x00007ffff0000000
#define USER_END      0x0000800000000000
#define DIRECT_BASE   0xffff800000000000
#define MMIO_BASE     0xffffc00000000000
#define KSTACK_BASE   0xffffd00000000000

/* Selectors in every CPU's GDT. */
#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS  0x18

/* Offsets in struct cpu, checked in cpu.c. */
#define CPU_SELF       0
#define CPU_CURRENT    8
#define CPU_KSTACK_TOP 16
#define CPU_DEPTH      24
#define CPU_WORK       28
#define CPU_CANARY     32 /* also in kernel.mk */

/* Offset in struct thread, checked in cpu.c. */
#define THREAD_VECTORS_LIVE 25

/* Page table entry bits. */
#define PTE_P   0x001
#define PTE_W   0x002
#define PTE_PWT 0x008
#define PTE_PCD 0x010
#define PTE_A   0x020
#define PTE_D   0x040
#define PTE_PS  0x080
#define PTE_G   0x100
#define PTE_NX  0x8000000000000000

#endif

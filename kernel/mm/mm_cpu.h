/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each CPU keeps of free memory, so that most requests need no lock: a
 * few pages (page.c) and a few objects of each size class (kmem.c).  Only its
 * own CPU touches it, in kernel code, which is not pre-empted; interrupt
 * handlers do not allocate.
 */
#ifndef TORIL_KERNEL_MM_MM_CPU_H
#define TORIL_KERNEL_MM_MM_CPU_H

#include "kernel/lib/base.h"

#define MM_CPU_PAGES   16
#define MM_CPU_CLASSES 14
#define MM_CPU_OBJECTS 16

struct mm_cpu {
	uint32_t nr_pages; /* others read it as a hint */
	uint32_t page[MM_CPU_PAGES];
	uint8_t nr[MM_CPU_CLASSES];
	void *object[MM_CPU_CLASSES][MM_CPU_OBJECTS];
};

/* This CPU's. */
struct mm_cpu *mm_cpu(void);

/* Pages that all of them hold. */
uint64_t mm_cpu_pages(void);

/* Free objects of a class that all of them hold. */
size_t mm_cpu_objects(unsigned class);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Where each CPU's free memory is; see mm_cpu.h. */
#include "kernel/mm/mm_cpu.h"
#include "kernel/arch/x86_64/cpu.h"

struct mm_cpu *mm_cpu(void)
{
	return &cpu_self()->mm;
}

uint64_t mm_cpu_pages(void)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < cpus_online; i++)
		n += __atomic_load_n(&cpus[i]->mm.nr_pages, __ATOMIC_RELAXED);
	return n;
}

size_t mm_cpu_objects(unsigned class)
{
	size_t n = 0;

	for (unsigned i = 0; i < cpus_online; i++)
		n += __atomic_load_n(&cpus[i]->mm.nr[class], __ATOMIC_RELAXED);
	return n;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Hazard pointers; see hazard.h. */
#include "kernel/sched/hazard.h"
#include "kernel/arch/x86_64/cpu.h"

void hazard_set(const void *p)
{
	(void)__atomic_exchange_n(&cpu_self()->hazard, p, __ATOMIC_SEQ_CST);
}

void hazard_clear(void)
{
	__atomic_store_n(&cpu_self()->hazard, NULL, __ATOMIC_RELEASE);
}

void hazard_wait(const void *p)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < cpus_online; i++)
		while (__atomic_load_n(&cpus[i]->hazard, __ATOMIC_ACQUIRE) == p)
			cpu_relax();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of CPUs, a bit for each number. */
#ifndef TORIL_KERNEL_SCHED_CPUMASK_H
#define TORIL_KERNEL_SCHED_CPUMASK_H

#include "kernel/lib/base.h"

#define CPUS_MAX      255 /* what xAPIC identifiers can name */
#define CPUMASK_WORDS 4

struct cpumask {
	uint64_t word[CPUMASK_WORDS];
};

#define CPUMASK_ALL                                                            \
	{                                                                      \
		{                                                              \
			UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX         \
		}                                                              \
	}

static inline bool cpumask_has(const struct cpumask *m, unsigned n)
{
	uint64_t w = __atomic_load_n(&m->word[n / 64], __ATOMIC_SEQ_CST);

	return w >> (n % 64) & 1;
}

/* Atomically; each returns whether the bit was there before. */
static inline bool cpumask_set(struct cpumask *m, unsigned n)
{
	uint64_t bit = 1ull << (n % 64);

	return __atomic_fetch_or(&m->word[n / 64], bit, __ATOMIC_SEQ_CST) & bit;
}

static inline bool cpumask_clear(struct cpumask *m, unsigned n)
{
	uint64_t bit = 1ull << (n % 64);

	return __atomic_fetch_and(&m->word[n / 64], ~bit, __ATOMIC_SEQ_CST) &
	       bit;
}

/* A CPU that is in both, or -1. */
static inline int cpumask_any_of(
    const struct cpumask *a, const struct cpumask *b)
{
	for (unsigned i = 0; i < CPUMASK_WORDS; i++) {
		uint64_t w =
		    __atomic_load_n(&a->word[i], __ATOMIC_SEQ_CST) & b->word[i];
		if (w)
			return (int)(i * 64) + __builtin_ctzll(w);
	}
	return -1;
}

#endif

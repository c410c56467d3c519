/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers: ChaCha20 (RFC 8439) as a generator with fast key erasure,
 * seeded from RDRAND, the clocks and the load address.
 */
#ifndef TORIL_KERNEL_LIB_RANDOM_H
#define TORIL_KERNEL_LIB_RANDOM_H

#include "kernel/lib/base.h"

/* Any context. */
void random_bytes(void *buf, size_t n);

/* Stir something unpredictable in. */
void random_mix(uint64_t v);

#endif

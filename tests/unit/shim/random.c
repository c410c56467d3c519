/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/random.h"

/* Ports are picked at random; here always the same. */
void random_bytes(void *buf, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((char *)buf)[i] = (char)(i * 17 + 3);
}

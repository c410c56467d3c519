/* SPDX-License-Identifier: BSD-2-Clause */
/* Alignments that malloc's results have anyway need none of the work that
 * musl's aligned_alloc does for the others. */
#include <stdlib.h>
#include "dynlink.h"
#include "meta.h"

extern hidden void *__musl_aligned_alloc(size_t align, size_t n);

void *aligned_alloc(size_t align, size_t n)
{
	if (!__malloc_replaced && (align == UNIT || align == UNIT / 2))
		return malloc(n);
	return __musl_aligned_alloc(align, n);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel calls by number.  A program that never needs a number known only at
 * run time does not carry this table, nor the calls that nobody else uses.
 */
#include "posix/calls.h"

typedef long kcall_fn(long, long, long, long, long, long);

#define KCALL(nr, name, kind) [nr] = (kcall_fn *)toril_sys_##name,
static kcall_fn *const table[] = {
#include "posix/calls.def"
};
#undef KCALL

long toril_kcall_by_number(
    long nr, long a, long b, long c, long d, long e, long f)
{
	if (nr < 0 || nr >= (long)ARRAY_LEN(table) || !table[nr])
		return -ENOSYS;
	return table[nr](a, b, c, d, e, f);
}

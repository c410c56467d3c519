/* SPDX-License-Identifier: BSD-2-Clause */
/* A NULL pointer's write; the backtrace names the function.
 * expect: signal 11
 * stderr: store_through_null */
#include <stdio.h>

static int *volatile nowhere;

static __attribute__((noinline)) void store_through_null(void)
{
	*nowhere = 42;
	puts("not reached");
}

int main(void)
{
	store_through_null();
	return 0;
}

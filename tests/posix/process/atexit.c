/* SPDX-License-Identifier: BSD-2-Clause */
/* Handlers in reverse order, stdio flushed last; constructors first.
 * expect: exit 7 */
#include "tests/posix/check.h"

static __attribute__((constructor)) void before(void)
{
	puts("constructor");
}

static __attribute__((destructor)) void after(void)
{
	puts("destructor");
}

static void first(void)
{
	puts("first");
}

static void second(void)
{
	puts("second");
}

int main(void)
{
	CHECK(atexit(first) == 0);
	CHECK(atexit(second) == 0);
	printf("not a whole line");
	exit(7);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A program in ring 0 could; a program should not have to know.
 * toril only: there hlt just waits for the next interrupt. */
#include "tests/posix/check.h"

int main(void)
{
	unsigned short cs;

	__asm__("mov %%cs, %0" : "=r"(cs));
	CHECK((cs & 3) == 0);
	return 0;
}

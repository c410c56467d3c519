/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest program worth booting: it needs a libc, one write, and an
 * exit status.
 */
#include <stdio.h>

int main(void)
{
	printf("Hello from Toril!\n");
	return 0;
}

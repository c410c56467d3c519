/* SPDX-License-Identifier: BSD-2-Clause */
/* expect: signal 11
 *
 * The C library ends a program that has corrupted its heap. */
#include <stdlib.h>
#include <string.h>

int main(void)
{
	char *p = malloc(100);
	void (*volatile release)(void *) = free;

	memset(p - 16, 0xff, 16);
	release(p);
	return 0;
}

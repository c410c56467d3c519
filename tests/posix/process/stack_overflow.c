/* SPDX-License-Identifier: BSD-2-Clause */
/* Endless recursion meets the guard. expect: signal 11 */
#include <string.h>

static volatile int depth;

static __attribute__((noinline)) int dive(const char *from)
{
	char here[1000];

	memset(here, from[0] + depth++, sizeof(here));
	return dive(here) + here[depth % 1000];
}

int main(void)
{
	return dive("a");
}

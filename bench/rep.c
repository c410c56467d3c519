/* SPDX-License-Identifier: BSD-2-Clause */
/* A `rep` of 1000 between two marks: how bench/count.py checks its scale. */
#include <stddef.h>

__attribute__((noinline)) void before(void);
__attribute__((noinline)) void after(void);

void before(void)
{
	__asm__ volatile("" : : : "memory");
}

void after(void)
{
	__asm__ volatile("" : : : "memory");
}

int main(void)
{
	static char to[1000], from[1000];
	void *d = to, *s = from;
	size_t n = sizeof(to);

	before();
	__asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
	after();
	return 0;
}

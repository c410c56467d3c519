/* SPDX-License-Identifier: BSD-2-Clause */
/* Terabytes that nobody touches cost nothing to map, protect, move, unmap. */
#include <sys/mman.h>
#include "tests/posix/check.h"

#define TIB   (1ul << 40)
#define TIMES 200

static char *reserve(size_t size)
{
	char *p = mmap(NULL, size, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

int main(void)
{
	char *p, *q;

	for (int i = 0; i < TIMES; i++)
		CHECK(!munmap(reserve(64 * TIB), 64 * TIB));
	p = reserve(4 * TIB);
	CHECK(!mprotect(p + TIB, 8192, PROT_READ | PROT_WRITE));
	CHECK(!mprotect(p + 3 * TIB, 4096, PROT_READ | PROT_WRITE));
	p[TIB + 4096] = 1;
	p[3 * TIB] = 3;
	q = reserve(4 * TIB);
	for (int i = 0; i < TIMES; i++)
		CHECK(!mprotect(q, 4 * TIB, i % 2 ? PROT_NONE : PROT_READ));
	CHECK(!munmap(p + 2 * TIB, TIB));
	CHECK(
	    mremap(p + TIB, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, q) == q);
	CHECK(q[4096] == 1 && p[3 * TIB] == 3);
	CHECK(mremap(p, TIB, TIB, MREMAP_MAYMOVE | MREMAP_FIXED, q + TIB) ==
	      q + TIB);
	CHECK(!munmap(q, 4 * TIB) && !munmap(p + 3 * TIB, TIB));
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* mremap: shrink, grow in place or by moving, fixed. */
#include <sys/mman.h>
#include "tests/posix/check.h"

#define PAGE 4096

int main(void)
{
	int prot = PROT_READ | PROT_WRITE;
	char *p =
	    mmap(NULL, 20 * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *q;

	CHECK(p != MAP_FAILED);
	for (int i = 0; i < 20; i++)
		p[i * PAGE] = (char)(i + 1);
	q = mremap(p, 20 * PAGE, 10 * PAGE, 0);
	CHECK(q == p && q[9 * PAGE] == 10);
	q = mremap(p, 10 * PAGE, 4000 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	for (int i = 0; i < 10; i++)
		CHECK(q[i * PAGE] == (char)(i + 1));
	CHECK(q[10 * PAGE] == 0 && q[3999 * PAGE] == 0);
	q[3999 * PAGE] = 9;
	p = mmap(
	    NULL, 4100 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK(mremap(q, 4000 * PAGE, 4000 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		  p) == p);
	CHECK(p[5 * PAGE] == 6 && p[3999 * PAGE] == 9);
	CHECK_ERR(
	    (long)mremap(q, 4000 * PAGE, 5000 * PAGE, MREMAP_MAYMOVE), EFAULT);
	CHECK_ERR((long)mremap(p + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EINVAL);
	CHECK(!munmap(p, 4100 * PAGE));
	return 0;
}

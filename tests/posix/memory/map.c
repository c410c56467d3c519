/* SPDX-License-Identifier: BSD-2-Clause */
/* Anonymous mappings: zero, at a hint, fixed, split, whole and in part. */
#include <sys/mman.h>
#include "tests/posix/check.h"

#define PAGE 4096
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static int all_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return 0;
	return 1;
}

int main(void)
{
	char *p = mmap(NULL, 100 * PAGE, RW, ANON, -1, 0), *q;

	CHECK(p != MAP_FAILED && ((unsigned long)p & (PAGE - 1)) == 0);
	CHECK(all_zero(p, 100 * PAGE));
	memset(p, 0xaa, 100 * PAGE);
	/* A hole in the middle, filled again: new pages are zero. */
	CHECK(!munmap(p + 40 * PAGE, 10 * PAGE));
	CHECK(!munmap(p + 45 * PAGE, 20 * PAGE));
	q = mmap(p + 40 * PAGE, 25 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	CHECK(q == p + 40 * PAGE && all_zero(q, 25 * PAGE));
	CHECK((unsigned char)p[40 * PAGE - 1] == 0xaa);
	CHECK((unsigned char)p[65 * PAGE] == 0xaa);
	/* Fixed over what is there. */
	q = mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	CHECK(q == p + PAGE && all_zero(q, PAGE));
	CHECK_ERR(
	    (long)mmap(p, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	CHECK(!munmap(p, 100 * PAGE));
	CHECK(!munmap(p, 100 * PAGE)); /* nothing there is no error */
	/* Large and sparse. */
	p = mmap(NULL, 8ul << 30, RW, ANON | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED);
	for (size_t at = 0; at < 8ul << 30; at += 256ul << 20)
		p[at] = (char)(at >> 28);
	for (size_t at = 0; at < 8ul << 30; at += 256ul << 20)
		CHECK(p[at] == (char)(at >> 28));
	CHECK(!munmap(p, 8ul << 30));
	CHECK_ERR((long)mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
	CHECK_ERR((long)mmap(NULL, PAGE, RW, MAP_PRIVATE, 99, 0), EBADF);
	CHECK_ERR(munmap((void *)1, PAGE), EINVAL);
	CHECK_ERR(munmap(p, 0), EINVAL);
	return 0;
}

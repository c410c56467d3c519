/* SPDX-License-Identifier: BSD-2-Clause */
/* Locking pages in memory, and asking which are. */
#include <sys/mman.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define PAGE 4096ul

int main(void)
{
	unsigned char vec[4];
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	p[0] = 1;
	CHECK(!mincore(p, 4 * PAGE, vec));
	CHECK((vec[0] & 1) && !(vec[3] & 1));
	CHECK(!mlock(p + PAGE, PAGE));
	CHECK(!mincore(p, 4 * PAGE, vec));
	CHECK((vec[1] & 1) && !(vec[3] & 1));
	CHECK(!mlock2(p + 2 * PAGE, PAGE, 0));
	CHECK(!mincore(p, 4 * PAGE, vec) && vec[2] & 1);
	CHECK_ERR(mlock2(p, PAGE, 2), EINVAL);
	CHECK_ERR(msync(p, 4 * PAGE, MS_SYNC | MS_INVALIDATE), EBUSY);
	CHECK(!munlock(p, 4 * PAGE));
	CHECK(!msync(p, 4 * PAGE, MS_SYNC | MS_INVALIDATE));
	CHECK(!mlockall(MCL_CURRENT) && !munlockall());
	CHECK_ERR(mlockall(0), EINVAL);
	CHECK_ERR(mlockall(64), EINVAL);
	CHECK_ERR(mincore(p + 1, PAGE, vec), EINVAL);
	CHECK(!munmap(p, 4 * PAGE));
	CHECK_ERR(mincore(p, PAGE, vec), ENOMEM);
	CHECK_ERR(mlock(p, PAGE), ENOMEM);
	CHECK_ERR(munlock(p, PAGE), ENOMEM);
	return 0;
}

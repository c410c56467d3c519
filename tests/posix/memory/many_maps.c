/* SPDX-License-Identifier: BSD-2-Clause */
/* The number of mappings has a limit, and reaching it does no harm. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tests/posix/check.h"

int main(void)
{
	int fd = memfd_create("maps", 0);
	unsigned n = 0;
	void *p, *last = NULL;

	CHECK(fd >= 0 && !ftruncate(fd, 4096));
	while ((p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0)) !=
	       MAP_FAILED) {
		last = p;
		n++;
	}
	CHECK(errno == ENOMEM);
	CHECK(n > 60000 && n <= 65530);
	CHECK(!munmap(last, 4096));
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
	return 0;
}

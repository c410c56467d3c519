/* SPDX-License-Identifier: BSD-2-Clause */
/* Eight mebibytes out, in single writes and in small ones. */
#include <sys/uio.h>
#include <unistd.h>
#include "tests/posix/check.h"

static char block[1 << 20];

static void all(const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(1, p, n);
		CHECK(w > 0);
		p += w;
		n -= (size_t)w;
	}
}

int main(void)
{
	struct iovec iov[3] = {{block, 10}, {block, 0}, {block + 10, 20}};

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)(i * 2654435761u >> 13);
	for (int i = 0; i < 7; i++)
		all(block, sizeof(block));
	for (size_t i = 0; i < sizeof(block); i += 4096)
		all(block + i, 4096);
	CHECK(writev(1, iov, 3) == 30);
	return 0;
}

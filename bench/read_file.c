/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads one file and writes its first bytes: what bench/count.py counts up
 * to `written`. */
#include <fcntl.h>
#include <unistd.h>

__attribute__((noinline)) void written(void);

void written(void)
{
	__asm__ volatile("" : : : "memory");
}

int main(int argc, char **argv)
{
	static char buf[4096];
	int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1;
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	if (n <= 0 || write(1, buf, (size_t)n) != n)
		return 1;
	written();
	return 0;
}

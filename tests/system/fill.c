/* SPDX-License-Identifier: BSD-2-Clause */
/* fill FILE: write until that fails, and say how much was taken, why no more
 * was, and whether closing and removing work after that. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char block[10000];
	long total = 0, n;
	int fd;

	if (argc != 2)
		return 2;
	fd = open(argv[1], O_CREAT | O_WRONLY | O_TRUNC, 0644);
	if (fd < 0)
		return 1;
	for (;;) {
		for (unsigned i = 0; i < sizeof(block); i++)
			block[i] = (char)((total + i) % 251);
		n = write(fd, block, sizeof(block));
		if (n <= 0)
			break;
		total += n;
	}
	printf("%ld %s\n", total, n ? strerror(errno) : "nothing");
	if (pwrite(fd, "z", 1, 0) != 1 || pwrite(fd, "", 1, 0) != 1)
		return 1; /* what is there can be written again */
	return fsync(fd) || close(fd);
}

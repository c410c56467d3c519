/* SPDX-License-Identifier: BSD-2-Clause */
/* Create a file and say how that went. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_CREAT | O_WRONLY, 0644) : -1;

	puts(fd < 0 ? strerror(errno) : "created");
	return fd < 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel calls for a tracer to print; the same on Linux. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	char text[64];
	int fd = open("/tmp/toril-calls", O_RDWR | O_CREAT | O_TRUNC, 0640);

	(void)!write(fd, "a \"line\"\twith\nall\1kinds of bytes, and long", 42);
	lseek(fd, 2, SEEK_SET);
	(void)!read(fd, text, 5);
	(void)!read(fd, text, sizeof(text));
	dup2(fd, 9);
	close(9);
	close(77);
	access("/nowhere/at/all", R_OK);
	mkdir("/nowhere/at/all", 0755);
	rename("/nowhere/a", "/nowhere/b");
	(void)!ftruncate(fd, 12345);
	close(fd);
	unlink("/tmp/toril-calls");
	rmdir("/nowhere");
	_exit(7);
}

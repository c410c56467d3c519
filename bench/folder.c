/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * folder PATH COUNT: what the files 0, 1 ... COUNT-1 of a folder cost: span 0
 * is ten of them opened, looked at, read and closed, none seen before, and
 * span 1 a listing of the folder.
 */
#include "bench/span.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_some(const char *folder, long count)
{
	char path[256], buf[64];
	struct stat st;

	for (long i = 0; i < 10; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%ld", folder, i * count / 10);
		fd = open(path, O_RDONLY);
		if (fd < 0 || fstat(fd, &st) || read(fd, buf, sizeof(buf)) < 0)
			return -1;
		close(fd);
	}
	return 0;
}

static long list(const char *folder)
{
	DIR *dir = opendir(folder);
	long n = -2; /* . and .. */

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	long count = argc > 2 ? atol(argv[2]) : 0, listed;
	int bad;

	if (argc < 3)
		return 2;
	SPAN_BEGIN(0);
	bad = read_some(argv[1], count);
	SPAN_END(0);
	SPAN_BEGIN(1);
	listed = list(argv[1]);
	SPAN_END(1);
	if (bad || listed != count) {
		perror("folder");
		return 1;
	}
	return 0;
}

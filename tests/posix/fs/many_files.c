/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes, syncs, renames, links, truncates, lists and removes COUNT files
 * (10,000 by default) in DIR.  What it leaves is the same on every system:
 *
 *	many_files DIR [COUNT]
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define PER_DIR 500

static char data[20000];

static void name_of(char *s, size_t n, const char *what, int i)
{
	snprintf(s, n, "d%d/%s%d", i / PER_DIR, what, i);
}

static size_t size_of(int i)
{
	return (size_t)i * 37 % 9000 + (i % 100 == 0 ? 9000 : 0);
}

static void make(int i)
{
	char name[64];
	size_t size = size_of(i), half = size / 2;
	int fd;

	name_of(name, sizeof(name), "f", i);
	fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);
	CHECK(fd >= 0);
	CHECK(write(fd, data + i % 512, half) == (ssize_t)half);
	CHECK(write(fd, data + i % 512 + half, size - half) ==
	      (ssize_t)(size - half));
	if (i % 10 == 0)
		CHECK(fsync(fd) == 0);
	CHECK(close(fd) == 0);
}

/* Rename a third, link a fifth, cut a seventh, grow a ninth, symlink some. */
static void change(int i)
{
	char name[64], other[64], target[64];

	name_of(name, sizeof(name), "f", i);
	if (i % 5 == 0) {
		name_of(other, sizeof(other), "l", i);
		CHECK(link(name, other) == 0);
	}
	if (i % 7 == 0)
		CHECK(truncate(name, (off_t)size_of(i) / 3) == 0);
	if (i % 9 == 0)
		CHECK(truncate(name, (off_t)size_of(i) + 5000) == 0);
	if (i % 11 == 0) {
		name_of(other, sizeof(other), "s", i);
		snprintf(target, sizeof(target), "f%d", i);
		CHECK(symlink(target, other) == 0);
	}
	if (i % 13 == 0)
		CHECK(chmod(name, 0600) == 0);
	if (i % 3 == 0) {
		name_of(other, sizeof(other), "r", i);
		CHECK(rename(name, other) == 0);
	}
}

static void verify(int i)
{
	char name[64], buf[30000];
	size_t size = size_of(i);
	struct stat st;
	ssize_t n;
	int fd;

	name_of(name, sizeof(name), i % 3 ? "f" : "r", i);
	if (i % 7 == 0)
		size = size / 3;
	if (i % 9 == 0)
		size = size_of(i) + 5000;
	CHECK(stat(name, &st) == 0);
	CHECK((size_t)st.st_size == size);
	CHECK((int)st.st_nlink == (i % 5 ? 1 : 2));
	CHECK((st.st_mode & 07777) == (i % 13 ? 0644 : 0600));
	fd = open(name, O_RDONLY);
	CHECK(fd >= 0);
	n = read(fd, buf, sizeof(buf));
	CHECK(n == (ssize_t)size);
	if (i % 7 && i % 9)
		CHECK(!memcmp(buf, data + i % 512, size));
	CHECK(close(fd) == 0);
}

static int list(int d, int per_dir)
{
	char name[32];
	struct dirent *e;
	int n = 0;
	DIR *dir;

	(void)per_dir;
	snprintf(name, sizeof(name), "d%d", d);
	dir = opendir(name);
	CHECK(dir);
	while ((e = readdir(dir)))
		n += e->d_name[0] != '.';
	CHECK(closedir(dir) == 0);
	return n;
}

/* Remove all but every fourth file. */
static void cut(int i)
{
	char name[64];

	if (i % 4 == 0)
		return;
	name_of(name, sizeof(name), i % 3 ? "f" : "r", i);
	CHECK(unlink(name) == 0);
	CHECK_ERR(unlink(name), ENOENT);
	if (i % 5 == 0) {
		name_of(name, sizeof(name), "l", i);
		CHECK(unlink(name) == 0);
	}
}

static int expected(int from, int to)
{
	int n = 0;

	for (int i = from; i < to; i++)
		n += 1 + (i % 5 == 0) + (i % 11 == 0);
	return n;
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[2]) : 10000;
	int dirs = (count + PER_DIR - 1) / PER_DIR;
	char name[32];

	CHECK(argc > 1 && chdir(argv[1]) == 0);
	umask(022);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 + i / 251);
	for (int d = 0; d < dirs; d++) {
		snprintf(name, sizeof(name), "d%d", d);
		CHECK(mkdir(name, 0755) == 0);
	}
	for (int i = 0; i < count; i++)
		make(i);
	for (int i = 0; i < count; i++)
		change(i);
	for (int i = 0; i < count; i++)
		verify(i);
	for (int d = 0; d < dirs; d++) {
		int end = (d + 1) * PER_DIR;
		CHECK(list(d, PER_DIR) ==
		      expected(d * PER_DIR, end < count ? end : count));
	}
	for (int i = 0; i < count; i++)
		cut(i);
	CHECK_ERR(rmdir("d0"), ENOTEMPTY);
	return 0;
}

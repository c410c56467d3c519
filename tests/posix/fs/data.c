/* SPDX-License-Identifier: BSD-2-Clause */
/* What is written is what is read: small and large, appended, sparse. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define BIG (3 << 20)

static unsigned char *a, *b;

static void compare(int fd, size_t size, size_t step)
{
	size_t at = 0;
	ssize_t n;

	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	memset(b, 0, size);
	while ((n = read(fd, b + at, step)) > 0)
		at += (size_t)n;
	CHECK(n == 0 && at == size);
	CHECK(!memcmp(a, b, size));
}

static void large(void)
{
	static const size_t steps[] = {100000, 4096, 1000, 1 << 20, 65536};
	int fd = open("big", O_CREAT | O_RDWR | O_TRUNC, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, a, BIG) == BIG);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		compare(fd, BIG, steps[i]);
	/* Odd places in small pieces, seen by later reads. */
	for (int i = 0; i < 300; i++) {
		size_t at = (size_t)i * 9973 % (BIG - 600);
		memset(a + at, i, 1 + (size_t)i);
		CHECK(pwrite(fd, a + at, 1 + (size_t)i, (off_t)at) == 1 + i);
	}
	compare(fd, BIG, 5000);
	memset(a + 5, 77, 200001);
	CHECK(pwrite(fd, a + 5, 200001, 5) == 200001);
	compare(fd, BIG, 3000);
	CHECK(pread(fd, b, 100, BIG) == 0);
	CHECK(pread(fd, b, 100, BIG - 10) == 10);
	CHECK(pread(fd, b, 100000, BIG - 50001) == 50001);
	CHECK(!memcmp(b, a + BIG - 50001, 50001));
	CHECK(close(fd) == 0);
}

static void appending(void)
{
	int fd = open("log", O_CREAT | O_WRONLY | O_APPEND, 0644), other;
	char buf[32];

	CHECK(fd >= 0 && write(fd, "one", 3) == 3);
	other = open("log", O_WRONLY | O_APPEND);
	CHECK(other >= 0 && write(other, "two", 3) == 3);
	CHECK(write(fd, "three", 5) == 5);
	CHECK(lseek(fd, 0, SEEK_CUR) == 11);
	CHECK(close(fd) == 0 && close(other) == 0);
	fd = open("log", O_RDWR);
	CHECK(read(fd, buf, sizeof(buf)) == 11);
	CHECK(!memcmp(buf, "onetwothree", 11));
	CHECK_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERR(lseek(fd, 0, 77), EINVAL);
	CHECK(close(fd) == 0);
	fd = open("log", O_RDONLY);
	CHECK_ERR(write(fd, "x", 1), EBADF);
	CHECK(close(fd) == 0);
}

static void sizes(void)
{
	int fd = open("sparse", O_CREAT | O_RDWR, 0644);
	struct stat st;

	CHECK(fd >= 0);
	CHECK(pwrite(fd, "x", 1, 100000) == 1);
	CHECK(fstat(fd, &st) == 0 && st.st_size == 100001);
	memset(b, 1, 1000);
	CHECK(pread(fd, b, 1000, 50000) == 1000);
	for (int i = 0; i < 1000; i++)
		CHECK(b[i] == 0);
	CHECK(ftruncate(fd, 100) == 0 && fstat(fd, &st) == 0);
	CHECK(st.st_size == 100 && pread(fd, b, 10, 100) == 0);
	CHECK(pwrite(fd, "yyyy", 4, 60) == 4 && ftruncate(fd, 62) == 0);
	CHECK(ftruncate(fd, 5000) == 0);
	CHECK(pread(fd, b, 100, 60) == 100);
	CHECK(b[0] == 'y' && b[1] == 'y' && b[2] == 0 && b[99] == 0);
	CHECK_ERR(ftruncate(fd, -1), EINVAL);
	CHECK(truncate("sparse", 1) == 0 && fstat(fd, &st) == 0);
	CHECK(st.st_size == 1);
	CHECK(posix_fallocate(fd, 0, 20000) == 0 && fstat(fd, &st) == 0);
	CHECK(st.st_size == 20000);
	CHECK(close(fd) == 0);
	fd = open("sparse", O_WRONLY | O_TRUNC);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_size == 0);
	CHECK(close(fd) == 0);
	CHECK_ERR(truncate(".", 0), EISDIR);
	CHECK_ERR(truncate("nothing", 0), ENOENT);
}

static void vectors(void)
{
	char x[3], y[70000];
	struct iovec v[3] = {{x, 3}, {NULL, 0}, {y, sizeof(y)}};
	int fd = open("big", O_RDONLY);

	CHECK(fd >= 0 && readv(fd, v, 3) == 70003);
	CHECK(!memcmp(x, a, 3) && !memcmp(y, a + 3, sizeof(y)));
	CHECK(close(fd) == 0);
}

static void copying(void)
{
	int in = open("big", O_RDONLY);
	int out = open("copy", O_CREAT | O_RDWR | O_TRUNC, 0644);
	off_t off = 10;
	size_t left = BIG - 10;

	CHECK(in >= 0 && out >= 0);
	while (left) {
		ssize_t n = sendfile(out, in, &off, left);
		CHECK(n > 0);
		left -= (size_t)n;
	}
	CHECK(off == BIG && lseek(out, 0, SEEK_CUR) == BIG - 10);
	CHECK(sendfile(out, in, &off, 10) == 0);
	CHECK(
	    pread(out, b, BIG, 0) == BIG - 10 && !memcmp(a + 10, b, BIG - 10));
	CHECK(ftruncate(out, 0) == 0 && lseek(out, 0, SEEK_SET) == 0);
	for (left = BIG; left;) {
		ssize_t n = copy_file_range(in, NULL, out, NULL, left, 0);
		CHECK(n > 0);
		left -= (size_t)n;
	}
	compare(out, BIG, 100000);
	CHECK(close(in) == 0 && close(out) == 0);
}

static void mapping(void)
{
	int fd = open("big", O_RDWR);
	unsigned char *p, *q;

	CHECK(fd >= 0);
	p = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED && !memcmp(p, a, BIG));
	p[7] ^= 1;
	CHECK(pread(fd, b, 10, 0) == 10 && b[7] == a[7]);
	CHECK(munmap(p, BIG) == 0);
	p = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	q = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 4096);
	CHECK(q != MAP_FAILED);
	p[5000] = a[5000] = (unsigned char)~a[5000];
	p[BIG - 1] = a[BIG - 1] = 9;
	CHECK(q[5000 - 4096] == a[5000]);
	CHECK(pread(fd, b, 10, 4995) == 10 && b[5] == a[5000]);
	CHECK(msync(p, BIG, MS_SYNC) == 0);
	CHECK(munmap(q, 8192) == 0);
	p[6000] = a[6000] = (unsigned char)~a[6000];
	CHECK(munmap(p, BIG) == 0);
	compare(fd, BIG, 100000);
	CHECK(close(fd) == 0);
	fd = open("big", O_RDONLY);
	CHECK_ERR(
	    (long)mmap(NULL, 10, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
	    EACCES);
	CHECK(close(fd) == 0);
}

static void unlinked(void)
{
	int fd = open("temp", O_CREAT | O_RDWR | O_EXCL, 0600);
	struct stat st;

	CHECK(fd >= 0 && write(fd, "data", 4) == 4 && unlink("temp") == 0);
	CHECK(pread(fd, b, 10, 0) == 4 && !memcmp(b, "data", 4));
	CHECK(fstat(fd, &st) == 0 && st.st_nlink == 0 && st.st_size == 4);
	CHECK(pwrite(fd, a, 30000, 0) == 30000);
	CHECK(pread(fd, b, 30000, 0) == 30000 && !memcmp(a, b, 30000));
	CHECK(close(fd) == 0);
	CHECK_ERR(open("temp", O_RDONLY), ENOENT);
}

int main(int argc, char **argv)
{
	CHECK(argc > 1 && chdir(argv[1]) == 0);
	a = malloc(BIG);
	b = malloc(BIG);
	CHECK(a && b);
	for (size_t i = 0; i < BIG; i++)
		a[i] = (unsigned char)(i * 31 + i / 4096);
	large();
	appending();
	sizes();
	vectors();
	copying();
	mapping();
	unlinked();
	return 0;
}

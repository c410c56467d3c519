/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contents: truncation, holes, allocation, files that are open but have no
 * name, copies within and between files.  Holes are told to a page: where
 * a file system has larger blocks it may say data sooner.
 */
#include <linux/falloc.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include "tests/posix/fsem/fsem.h"

#define K 4096
#define M (256 * K) /* every block size's multiple */

static const char *where;

static void say(const char *what, long r)
{
	if (r < 0)
		printf("%s %s: %s\n", where, what, outcome(r));
	else
		printf("%s %s: %ld\n", where, what, r);
}

#define SAY(expr) (errno = 0, say(#expr, (long)(expr)))

/* Size, links and contents, as a few numbers. */
static void state(int fd)
{
	static unsigned char buf[16 * K];
	struct stat st;
	unsigned long sum = 0;
	ssize_t n;
	off_t at = 0;

	CHECK(!fstat(fd, &st));
	while (at < 4 * M && (n = pread(fd, buf, sizeof(buf), at)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 31 + buf[i];
		at += n;
	}
	printf("%s size %ld links %d sum %lx read %ld\n", where,
	    (long)st.st_size, (int)st.st_nlink, sum, (long)at);
}

static int fresh(const char *name)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_RDWR, 0644);

	CHECK(fd >= 0);
	return fd;
}

static void truncation(void)
{
	int fd = fresh("t"), ro = open("t", O_RDONLY), wo;
	char c[8] = "12345678";

	SAY(pwrite(fd, "abcdefgh", 8, 0));
	SAY(ftruncate(fd, 3));
	SAY(ftruncate(fd, 6));
	state(fd);
	SAY(pread(fd, c, 8, 0));
	CHECK(!memcmp(c, "abc\0\0\0", 6));
	SAY(ftruncate(fd, K + 1));
	SAY(ftruncate(fd, K - 1));
	SAY(ftruncate(fd, 2 * K));
	state(fd);
	SAY(ftruncate(fd, -1));
	SAY(ftruncate(ro, 1));
	SAY(truncate("t", -5));
	SAY(truncate("t", 0));
	SAY(lseek(fd, 0, SEEK_CUR));
	SAY(lseek(fd, 100, SEEK_SET));
	SAY(write(fd, "x", 1));
	state(fd);
	wo = open("t", O_WRONLY | O_TRUNC);
	SAY(lseek(fd, 0, SEEK_CUR));
	SAY(write(fd, "y", 1));
	state(fd);
	SAY(lseek(fd, -1, SEEK_SET));
	SAY(lseek(fd, -1000, SEEK_CUR));
	SAY(lseek(fd, -1, SEEK_END));
	SAY(lseek(fd, 0, 9));
	SAY(pread(fd, c, 1, -1));
	SAY(pwrite(fd, c, 1, -1));
	SAY(pread(fd, c, 1, 1l << 40));
	SAY(read(wo, c, 1));
	SAY(write(ro, c, 1));
	SAY(close(fd) | close(ro) | close(wo));
}

static void appending(void)
{
	int a = open("a", O_CREAT | O_RDWR | O_APPEND, 0644), b = fresh("a");
	char c[16];

	SAY(write(a, "one", 3));
	SAY(write(b, "2", 1));
	SAY(lseek(a, 0, SEEK_SET));
	SAY(write(a, "three", 5));
	SAY(lseek(a, 0, SEEK_CUR));
	SAY(pwrite(a, "four", 4, 0)); /* Linux appends */
	SAY(fcntl(b, F_SETFL, O_APPEND));
	SAY(write(b, "5", 1));
	SAY(fcntl(a, F_SETFL, 0));
	SAY(pwrite(a, "six", 3, 0));
	state(a);
	SAY(pread(a, c, 16, 0));
	printf("%s %.13s\n", where, c);
	SAY(close(a) | close(b));
}

static void holes(void)
{
	int fd = fresh("h");
	struct stat st;

	SAY(lseek(fd, 0, SEEK_DATA));
	SAY(lseek(fd, 0, SEEK_HOLE));
	SAY(pwrite(fd, "x", 1, 2 * M));
	CHECK(!fstat(fd, &st));
	SAY(st.st_blocks * 512 < M);
	SAY(st.st_size);
	SAY(lseek(fd, 0, SEEK_DATA));
	SAY(lseek(fd, 0, SEEK_HOLE));
	SAY(lseek(fd, 2 * M, SEEK_DATA));
	SAY(lseek(fd, 2 * M, SEEK_HOLE));
	SAY(lseek(fd, 2 * M + 1, SEEK_DATA));
	SAY(lseek(fd, 2 * M + 1, SEEK_HOLE));
	SAY(lseek(fd, -1, SEEK_DATA));
	SAY(ftruncate(fd, 3 * M));
	SAY(lseek(fd, 2 * M + K, SEEK_DATA));
	SAY(lseek(fd, 2 * M, SEEK_HOLE));
	SAY(pwrite(fd, "y", 1, M));
	SAY(lseek(fd, 1, SEEK_DATA));
	SAY(lseek(fd, M, SEEK_HOLE));
	SAY(lseek(fd, M + K, SEEK_DATA));
	state(fd);
	SAY(close(fd));
}

static long blocks(int fd)
{
	struct stat st;

	CHECK(!fsync(fd) && !fstat(fd, &st));
	return st.st_blocks / 8;
}

static void allocation(void)
{
	int fd = fresh("f"), ro = open("f", O_RDONLY);

	SAY(fallocate(fd, 0, 0, 4 * K));
	SAY(blocks(fd));
	state(fd);
	SAY(fallocate(fd, FALLOC_FL_KEEP_SIZE, 4 * K, 4 * K));
	SAY(blocks(fd));
	state(fd);
	for (int i = 0; i < 4; i++)
		CHECK(pwrite(fd, "data", 4, i * K) == 4);
	SAY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, K, K));
	state(fd);
	SAY(lseek(fd, 0, SEEK_HOLE));
	SAY(lseek(fd, K, SEEK_DATA));
	SAY(fallocate(
	    fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * K + 1, 2));
	state(fd);
	SAY(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, K));
	SAY(fallocate(
	    fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 40 * K, K));
	SAY(fallocate(fd, 0, 0, 0));
	SAY(fallocate(fd, 0, -1, K));
	SAY(fallocate(fd, 0, 0, -1));
	SAY(fallocate(ro, 0, 0, K));
	SAY(fallocate(99, 0, 0, K));
	SAY(posix_fallocate(fd, 0, 9 * K));
	state(fd);
	SAY(ftruncate(fd, 0));
	SAY(blocks(fd));
	SAY(close(fd) | close(ro));
}

static void nameless(void)
{
	int fd = fresh("n"), other;
	char c[8] = "";

	SAY(write(fd, "still", 5));
	SAY(unlink("n"));
	state(fd);
	SAY(pwrite(fd, "there", 5, 5));
	SAY(ftruncate(fd, 8));
	state(fd);
	SAY(fchmod(fd, 0600));
	SAY(access("n", F_OK));
	other = fresh("n");
	SAY(write(other, "new", 3));
	SAY(pread(fd, c, 8, 0));
	printf("%s %.8s\n", where, c);
	SAY(rename("n", "o"));
	state(other);
	CHECK(!link("o", "p"));
	state(other);
	SAY(unlink("o"));
	SAY(unlink("p"));
	state(other);
	SAY(fsync(fd) | fsync(other));
	SAY(close(fd) | close(other));
	CHECK(!mkdir("gone", 0755));
	fd = open("gone", O_RDONLY | O_DIRECTORY);
	SAY(rmdir("gone"));
	SAY(openat(fd, "x", O_CREAT, 0600));
	SAY(mkdirat(fd, "x", 0600));
	SAY(linkat(AT_FDCWD, "f", fd, "x", 0));
	SAY(faccessat(fd, "x", F_OK, 0));
	SAY(faccessat(fd, ".", F_OK, 0));
	SAY(close(fd));
	/* Victims of rename that are open live on. */
	fd = fresh("victim");
	SAY(write(fd, "v", 1));
	SAY(rename("f", "victim"));
	state(fd);
	SAY(close(fd));
}

static void copies(void)
{
	int a = fresh("from"), b = fresh("to");
	off_t in = 0, out = 0;

	for (int i = 0; i < 3 * K; i++)
		CHECK(pwrite(a, &(char){(char)(i * 7)}, 1, i) == 1);
	SAY(copy_file_range(a, &in, b, &out, 2 * K, 0));
	SAY(in + out);
	state(b);
	SAY(copy_file_range(a, &in, b, &out, 9 * K, 0));
	SAY(copy_file_range(a, &in, b, &out, K, 0));
	state(b);
	in = 0;
	out = K;
	SAY(copy_file_range(a, &in, a, &out, 2 * K, 0));
	out = 2 * K;
	SAY(copy_file_range(a, &in, a, &out, 2 * K, 0));
	SAY(copy_file_range(a, &in, b, &out, K, 1));
	SAY(copy_file_range(a, NULL, b, NULL, 100, 0));
	SAY(sendfile(b, a, NULL, 50));
	SAY(lseek(a, 0, SEEK_CUR));
	SAY(lseek(b, 0, SEEK_CUR));
	in = 5;
	SAY(sendfile(b, a, &in, 50));
	SAY(in);
	state(b);
	SAY(close(a) | close(b));
}

static void vectors(void)
{
	int fd = fresh("v");
	char a[3] = "abc", b[5] = "defgh";
	struct iovec v[3] = {{a, 3}, {NULL, 0}, {b, 5}};
	struct iovec bad[2] = {{a, 3}, {(void *)8, 3}};

	SAY(writev(fd, v, 3));
	SAY(writev(fd, v, 0));
	SAY(writev(fd, v, -1));
	SAY(writev(fd, v, 1025));
	SAY(pwritev(fd, v, 3, 100));
	SAY(writev(fd, bad + 1, 1));
	SAY(write(fd, (void *)8, 5));
	SAY(preadv(fd, v, 3, 2));
	SAY(preadv(fd, v, 3, 105));
	SAY(preadv(fd, v, 3, 5000));
	SAY(preadv(fd, v, 3, -1));
	SAY(pread(fd, (void *)8, 1, 0));
	SAY(read(fd, NULL, 0));
	state(fd);
	SAY(close(fd));
}

static void body(const char *place)
{
	where = place;
	truncation();
	appending();
	holes();
	allocation();
	nameless();
	copies();
	vectors();
}

int main(int argc, char **argv)
{
	CHECK(argc > 1);
	return on_both(argv[1], body);
}

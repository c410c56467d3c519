/* SPDX-License-Identifier: BSD-2-Clause */
/* /dev and /proc/self/fd. */
#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "tests/posix/check.h"

static void device(const char *name, unsigned maj, unsigned min)
{
	struct stat st;

	CHECK(stat(name, &st) == 0 && S_ISCHR(st.st_mode));
	CHECK(major(st.st_rdev) == maj && minor(st.st_rdev) == min);
}

/* Mapped, /dev/zero is memory. */
static void zero_mapped(void)
{
	int fd = open("/dev/zero", O_RDWR), ro = open("/dev/zero", O_RDONLY);
	int rw = PROT_READ | PROT_WRITE;
	char *p = mmap(NULL, 8192, rw, MAP_SHARED, fd, 0);
	char *q = mmap(NULL, 8192, rw, MAP_PRIVATE, ro, 0);

	CHECK(p != MAP_FAILED && q != MAP_FAILED);
	CHECK(!p[0] && !p[8191] && !q[4096]);
	p[8191] = q[0] = 1;
	CHECK_ERR(mmap(NULL, 4096, rw, MAP_SHARED, ro, 0), EACCES);
	CHECK(munmap(p, 8192) == 0 && munmap(q, 8192) == 0);
	CHECK(close(fd) == 0 && close(ro) == 0);
	fd = open("/dev/null", O_RDWR);
	CHECK_ERR(mmap(NULL, 4096, rw, MAP_SHARED, fd, 0), ENODEV);
	CHECK(close(fd) == 0);
}

/* What a descriptor is not open for, copies of it, and another file of its
 * number. */
static void zero_descriptors(void)
{
	int in = open("/dev/zero", O_RDONLY), out = open("/dev/zero", O_WRONLY);
	int path = open("/dev/null", O_PATH), copy = dup(in);
	char c = 1;

	CHECK_ERR(write(in, &c, 1), EBADF);
	CHECK_ERR(read(out, &c, 1), EBADF);
	CHECK_ERR(write(path, &c, 1), EBADF);
	CHECK(write(out, &c, 1) == 1 && write(out, &c, 0) == 0);
	CHECK(fcntl(copy, F_SETFD, FD_CLOEXEC) == 0 && close(in) == 0);
	CHECK(read(copy, &c, 1) == 1 && c == 0 && read(copy, &c, 0) == 0);
	CHECK(dup2(path, copy) == copy);
	CHECK_ERR(read(copy, &c, 1), EBADF);
	CHECK(close(path) == 0 && close(copy) == 0 && close(out) == 0);
	CHECK_ERR(read(copy, &c, 1), EBADF);
	CHECK_ERR(write(out, &c, 1), EBADF);
}

/* As far as there is memory. */
static void zero_short(void)
{
	int fd = open("/dev/zero", O_RDONLY);
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(fd >= 0 && p != MAP_FAILED && munmap(p + 4096, 4096) == 0);
	memset(p, 1, 4096);
	CHECK(read(fd, p + 4070, 100) == 26);
	CHECK(p[4069] == 1 && !p[4070] && !p[4095]);
	CHECK_ERR(read(fd, p + 4096, 1), EFAULT);
	CHECK(munmap(p, 4096) == 0 && close(fd) == 0);
}

/* Who watches a device sees its transfers. */
static void zero_watched(void)
{
	int fd = open("/dev/zero", O_RDWR), in = inotify_init1(IN_NONBLOCK);
	struct inotify_event e;
	char c;

	CHECK(fd >= 0 && in >= 0);
	CHECK(inotify_add_watch(in, "/dev/zero", IN_ACCESS | IN_MODIFY) >= 0);
	CHECK(read(fd, &c, 1) == 1);
	CHECK(read(in, &e, sizeof(e)) == sizeof(e) && e.mask == IN_ACCESS);
	CHECK(write(fd, &c, 1) == 1);
	CHECK(read(in, &e, sizeof(e)) == sizeof(e) && e.mask == IN_MODIFY);
	CHECK(close(in) == 0 && close(fd) == 0);
}

int main(int argc, char **argv)
{
	char buf[100], other[100], link[PATH_MAX], path[64];
	struct stat st, other_st;
	int fd, again, ends[2];
	ssize_t n;

	CHECK(argc > 1 && chdir(argv[1]) == 0);
	device("/dev/null", 1, 3);
	device("/dev/zero", 1, 5);
	device("/dev/full", 1, 7);
	device("/dev/random", 1, 8);
	device("/dev/urandom", 1, 9);
	fd = open("/dev/null", O_RDWR);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1 && read(fd, buf, 1) == 0);
	CHECK(close(fd) == 0);
	fd = open("/dev/zero", O_RDONLY);
	memset(buf, 1, sizeof(buf));
	CHECK(fd >= 0 && read(fd, buf, sizeof(buf)) == sizeof(buf));
	CHECK(!buf[0] && !buf[99] && close(fd) == 0);
	zero_mapped();
	zero_descriptors();
	zero_short();
	zero_watched();
	fd = open("/dev/full", O_WRONLY);
	CHECK_ERR(write(fd, "x", 1), ENOSPC);
	CHECK(close(fd) == 0);
	fd = open("/dev/urandom", O_RDONLY);
	CHECK(read(fd, buf, sizeof(buf)) == sizeof(buf));
	CHECK(read(fd, other, sizeof(other)) == sizeof(other));
	CHECK(memcmp(buf, other, sizeof(buf)) && close(fd) == 0);
	fd = open("file", O_CREAT | O_RDWR, 0644);
	CHECK(fd >= 0 && write(fd, "hello", 5) == 5);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, link, sizeof(link) - 1);
	CHECK(n > 5);
	link[n] = 0;
	CHECK(!strcmp(link + n - 5, "/file"));
	CHECK(unlink("file") == 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	again = open(path, O_RDONLY);
	CHECK(again >= 0 && read(again, buf, 10) == 5);
	CHECK(!memcmp(buf, "hello", 5) && close(again) == 0);
	again = open("/dev/stdout", O_WRONLY);
	CHECK(again >= 0 && write(again, "", 0) == 0 && close(again) == 0);
	again = open("/dev/stdin", O_RDONLY);
	CHECK(again >= 0 && close(again) == 0);
	CHECK(pipe(ends) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
	CHECK(stat(path, &st) == 0 && S_ISFIFO(st.st_mode));
	CHECK(lstat(path, &st) == 0 && S_ISLNK(st.st_mode));
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	CHECK(stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 5);
	CHECK(stat("/dev/stdout", &st) == 0 && fstat(1, &other_st) == 0);
	CHECK(st.st_mode == other_st.st_mode && st.st_ino == other_st.st_ino);
	CHECK_ERR(stat("/proc/self/fd/99", &st), ENOENT);
	CHECK_ERR(open("/proc/self/fd/99", O_RDONLY), ENOENT);
	CHECK(close(fd) == 0);
	return 0;
}

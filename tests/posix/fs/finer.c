/* SPDX-License-Identifier: BSD-2-Clause */
/* Finer points: statx, times, holes, fallocate, appending, open's errors. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/stat.h>
#include "tests/posix/check.h"

static void times(int fd)
{
	struct timespec both[2] = {{5, UTIME_OMIT}, {7, UTIME_OMIT}};
	struct timespec set[2] = {{-5, 999999999}, {4000000000, 1}};
	struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
	struct timespec bad[2] = {{0, -1}, {0, 0}};
	struct stat a, b;

	CHECK(futimens(fd, set) == 0 && fstat(fd, &a) == 0);
	CHECK(a.st_atim.tv_sec == -5 && a.st_atim.tv_nsec == 999999999);
	CHECK(a.st_mtim.tv_sec == 4000000000 && a.st_mtim.tv_nsec == 1);
	CHECK(utimensat(AT_FDCWD, "f", both, 0) == 0 && stat("f", &b) == 0);
	CHECK(a.st_atim.tv_sec == b.st_atim.tv_sec);
	CHECK(futimens(fd, now) == 0 && fstat(fd, &b) == 0);
	CHECK(b.st_atim.tv_sec > 1600000000 && b.st_mtim.tv_sec == 4000000000);
	CHECK_ERR(futimens(fd, bad), EINVAL);
	CHECK_ERR(utimensat(AT_FDCWD, "no", set, 0), ENOENT);
	CHECK_ERR(utimensat(AT_FDCWD, "f", set, 1), EINVAL);
	CHECK(symlink("no", "s") == 0);
	CHECK(utimensat(AT_FDCWD, "s", set, AT_SYMLINK_NOFOLLOW) == 0);
	CHECK(lstat("s", &a) == 0 && a.st_mtim.tv_sec == 4000000000);
}

static void extended(int fd)
{
	struct statx x;
	struct stat st;

	CHECK(fstat(fd, &st) == 0);
	CHECK(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x) == 0);
	CHECK((x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	CHECK(x.stx_ino == st.st_ino && x.stx_mode == st.st_mode);
	CHECK(x.stx_mtime.tv_sec == st.st_mtim.tv_sec);
	CHECK(syscall(SYS_statx, fd, "", AT_EMPTY_PATH, 0, &x) == 0);
	CHECK(x.stx_ino == st.st_ino);
	CHECK_ERR(syscall(SYS_statx, fd, "", 0, 0, &x), ENOENT);
	CHECK_ERR(syscall(SYS_statx, fd, "x", 0, 0, &x), ENOTDIR);
	CHECK_ERR(syscall(SYS_statx, AT_FDCWD, "f", 0, 1u << 31, &x), EINVAL);
	CHECK_ERR(syscall(SYS_statx, AT_FDCWD, "f", 1, 0, &x), EINVAL);
}

static void space(int fd)
{
	struct stat st;
	char c = 1;

	CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, "x", 1, 1 << 20) == 1);
	CHECK(lseek(fd, 0, SEEK_DATA) == 1 << 20);
	CHECK(lseek(fd, 0, SEEK_HOLE) == 0);
	CHECK(lseek(fd, 1 << 20, SEEK_HOLE) == (1 << 20) + 1);
	CHECK_ERR(lseek(fd, (1 << 20) + 1, SEEK_DATA), ENXIO);
	CHECK_ERR(lseek(fd, -1, SEEK_DATA), ENXIO);
	CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 2 << 20) == 0);
	CHECK(fstat(fd, &st) == 0 && st.st_size == (1 << 20) + 1);
	CHECK(fallocate(fd, 0, 0, 2 << 20) == 0);
	CHECK(fstat(fd, &st) == 0 && st.st_size == 2 << 20);
	CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20,
		  1) == 0);
	CHECK(pread(fd, &c, 1, 1 << 20) == 1 && c == 0);
	CHECK_ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 1), EOPNOTSUPP);
	CHECK_ERR(fallocate(fd, 0, 0, 0), EINVAL);
	CHECK_ERR(fallocate(fd, 0, -1, 1), EINVAL);
}

static void opening(void)
{
	int fd = open("f", O_RDWR | O_APPEND), path;

	CHECK(fd >= 0 && ftruncate(fd, 10) == 0 && lseek(fd, 3, SEEK_SET) == 3);
	CHECK(write(fd, "ab", 2) == 2 && lseek(fd, 0, SEEK_CUR) == 12);
	CHECK(close(fd) == 0);
	CHECK(symlink("f", "l") == 0);
	CHECK_ERR(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_ERR(open("l", O_RDONLY | O_NOFOLLOW | O_DIRECTORY), ENOTDIR);
	path = open("l", O_PATH | O_NOFOLLOW);
	CHECK(path >= 0 && fcntl(path, F_GETFL) & O_PATH);
	CHECK_ERR(write(path, "x", 1), EBADF);
	CHECK_ERR(syscall(SYS_fchmod, path, 0600), EBADF);
	CHECK_ERR(lseek(path, 0, SEEK_SET), EBADF);
	CHECK_ERR(ftruncate(path, 0), EBADF);
	CHECK_ERR(openat(path, "x", O_RDONLY), ENOTDIR);
	CHECK(close(path) == 0);
	CHECK_ERR(open("f/", O_RDONLY), ENOTDIR);
	CHECK_ERR(open("new/", O_CREAT | O_WRONLY, 0644), EISDIR);
	CHECK_ERR(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERR(open("no", O_RDONLY | O_DIRECTORY), ENOENT);
}

int main(int argc, char **argv)
{
	int fd;

	CHECK(argc > 1 && chdir(argv[1]) == 0);
	fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK(fd >= 0);
	times(fd);
	extended(fd);
	space(fd);
	opening();
	return 0;
}

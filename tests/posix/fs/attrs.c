/* SPDX-License-Identifier: BSD-2-Clause */
/* Attributes: modes, times, owners, directories' contents, statfs. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

static void modes(void)
{
	struct stat st;
	int fd;

	umask(027);
	fd = open("f", O_CREAT | O_RDWR, 0666);
	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	CHECK(st.st_mode == (S_IFREG | 0640));
	CHECK(mkdir("d", 0777) == 0 && stat("d", &st) == 0);
	CHECK(st.st_mode == (S_IFDIR | 0750));
	CHECK(umask(022) == 027);
	CHECK(chmod("f", 04711) == 0 && stat("f", &st) == 0);
	CHECK(st.st_mode == (S_IFREG | 04711));
	CHECK(fchmod(fd, 0600) == 0 && fstat(fd, &st) == 0);
	CHECK(st.st_mode == (S_IFREG | 0600));
	CHECK(fchmodat(AT_FDCWD, "d", 0700, 0) == 0);
	CHECK_ERR(chmod("no", 0600), ENOENT);
	CHECK(chown("f", (uid_t)-1, (gid_t)-1) == 0);
	CHECK(chown("f", st.st_uid, st.st_gid) == 0);
	CHECK(close(fd) == 0);
	CHECK_ERR(fchmod(fd, 0600), EBADF);
	CHECK(mkfifo("p", 0644) == 0 && stat("p", &st) == 0);
	CHECK(S_ISFIFO(st.st_mode));
	CHECK_ERR(mkfifo("p", 0644), EEXIST);
}

static void times(void)
{
	struct timespec t[2] = {{1000000000, 123456789}, {1234567890, 5000}};
	struct timespec omit[2] = {{0, UTIME_OMIT}, {77, 0}};
	struct timespec bad[2] = {{0, 1000000000}, {0, 0}};
	struct stat st, later;

	CHECK(utimensat(AT_FDCWD, "f", t, 0) == 0 && stat("f", &st) == 0);
	CHECK(st.st_atim.tv_sec == 1000000000);
	CHECK(st.st_atim.tv_nsec == 123456789);
	CHECK(st.st_mtim.tv_sec == 1234567890 && st.st_mtim.tv_nsec == 5000);
	CHECK(utimensat(AT_FDCWD, "f", omit, 0) == 0 && stat("f", &st) == 0);
	CHECK(st.st_atim.tv_sec == 1000000000 && st.st_mtim.tv_sec == 77);
	CHECK_ERR(utimensat(AT_FDCWD, "f", bad, 0), EINVAL);
	CHECK(utimensat(AT_FDCWD, "f", NULL, 0) == 0 && stat("f", &st) == 0);
	CHECK(st.st_mtime > 1600000000);
	CHECK(truncate("f", 10) == 0 && stat("f", &later) == 0);
	CHECK(later.st_mtim.tv_sec >= st.st_mtim.tv_sec);
	CHECK(later.st_size == 10 && later.st_nlink == 1);
}

static void listing(void)
{
	char name[32], seen[400] = {0};
	struct dirent *e;
	DIR *d;
	long mark = -1;
	int n = 0, i;

	for (i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "d/entry-%d", i);
		CHECK(i % 2 ? mkdir(name, 0755) == 0 : symlink("x", name) == 0);
	}
	d = opendir("d");
	CHECK(d);
	while ((e = readdir(d))) {
		n++;
		if (e->d_name[0] == '.') {
			CHECK(e->d_type == DT_DIR);
			continue;
		}
		CHECK(sscanf(e->d_name, "entry-%d", &i) == 1);
		CHECK(i >= 0 && i < 400 && !seen[i]);
		CHECK(e->d_type == (i % 2 ? DT_DIR : DT_LNK));
		seen[i] = 1;
		if (n == 200)
			mark = telldir(d);
	}
	CHECK(n == 402);
	seekdir(d, mark);
	for (n = 0; readdir(d); n++)
		;
	CHECK(n == 202);
	rewinddir(d);
	CHECK(mkdir("d/new", 0755) == 0);
	rewinddir(d);
	for (n = 0; readdir(d); n++)
		;
	CHECK(n == 403);
	CHECK(closedir(d) == 0);
	CHECK(rmdir("d/new") == 0);
	for (i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "d/entry-%d", i);
		CHECK((i % 2 ? rmdir(name) : unlink(name)) == 0);
	}
	CHECK(rmdir("d") == 0);
	CHECK_ERR((long)(opendir("d") ? 0 : -1), ENOENT);
	CHECK_ERR((long)(opendir("f") ? 0 : -1), ENOTDIR);
}

static void space(void)
{
	struct statfs s;
	struct statvfs v;
	int fd = open("f", O_RDONLY);

	CHECK(statfs(".", &s) == 0 && s.f_bsize > 0 && s.f_blocks > 0);
	CHECK(fstatfs(fd, &s) == 0 && s.f_namelen >= 255);
	CHECK(statvfs("f", &v) == 0 && v.f_namemax >= 255);
	CHECK(close(fd) == 0);
}

int main(int argc, char **argv)
{
	CHECK(argc > 1 && chdir(argv[1]) == 0);
	modes();
	times();
	listing();
	space();
	return 0;
}

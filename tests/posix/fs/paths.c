/* SPDX-License-Identifier: BSD-2-Clause */
/* How paths are resolved: links, dots, slashes, directories by descriptor. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/posix/check.h"

static void write_file(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(close(fd) == 0);
}

static int same(const char *a, const char *b)
{
	struct stat x, y;

	CHECK(stat(a, &x) == 0 && stat(b, &y) == 0);
	return x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

static void links(void)
{
	char from[16], to[16];
	struct stat st;
	int fd;

	CHECK(symlink("d", "ld") == 0 && symlink("d/f", "lf") == 0);
	CHECK(symlink("../d", "d/up") == 0 && symlink("loop", "loop") == 0);
	CHECK(symlink("nowhere", "dangling") == 0);
	CHECK(same("d", "ld") && same("d/f", "lf") && same("d/up/f", "d/f"));
	CHECK(same("ld/up/up/up/f", "lf") && same("ld/", "d"));
	CHECK_ERR(stat("loop", &st), ELOOP);
	CHECK_ERR(stat("loop/x", &st), ELOOP);
	CHECK_ERR(stat("dangling", &st), ENOENT);
	CHECK_ERR(stat("lf/", &st), ENOTDIR);
	CHECK_ERR(stat("lf/..", &st), ENOTDIR);
	CHECK_ERR(open("lf", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK(lstat("ld", &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(lstat("ld/", &st) == 0 && S_ISDIR(st.st_mode));
	fd = open("dangling", O_CREAT | O_WRONLY, 0644);
	CHECK(fd >= 0 && close(fd) == 0 && stat("nowhere", &st) == 0);
	CHECK_ERR(open("lf", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
	CHECK(symlink("lf", "l0") == 0);
	for (int i = 0; i < 45; i++) {
		snprintf(from, sizeof(from), "l%d", i);
		snprintf(to, sizeof(to), "l%d", i + 1);
		CHECK(symlink(from, to) == 0);
	}
	CHECK(stat("l38", &st) == 0); /* 40 links with lf */
	CHECK_ERR(stat("l39", &st), ELOOP);
}

static void dots(void)
{
	char cwd[PATH_MAX], now[PATH_MAX];
	struct stat st;

	CHECK(getcwd(cwd, sizeof(cwd)) == cwd);
	CHECK(same("d/../d/./f", "d/f") && same("/..", "/"));
	CHECK(same("d//f", "d/f") && same("./d/", "d"));
	CHECK_ERR(stat("", &st), ENOENT);
	CHECK_ERR(stat("no/../d", &st), ENOENT);
	CHECK_ERR(stat("d/f/", &st), ENOTDIR);
	CHECK_ERR(stat("d/f/.", &st), ENOTDIR);
	CHECK(chdir("d") == 0 && getcwd(now, sizeof(now)) == now);
	CHECK(!strncmp(now, cwd, strlen(cwd)));
	CHECK(!strcmp(now + strlen(cwd), "/d"));
	CHECK(chdir("..") == 0 && getcwd(now, sizeof(now)) == now);
	CHECK(!strcmp(now, cwd));
	CHECK_ERR(chdir("d/f"), ENOTDIR);
	CHECK_ERR(chdir("no"), ENOENT);
	CHECK(!getcwd(now, 2) && errno == ERANGE);
	CHECK(realpath("ld/up/f", now) && !strncmp(now, cwd, strlen(cwd)));
	CHECK(!strcmp(now + strlen(cwd), "/d/f"));
}

static void descriptors(void)
{
	int d = open("d", O_RDONLY | O_DIRECTORY), fd;
	struct stat a, b;

	CHECK(d >= 0);
	CHECK_ERR(open("d/f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERR(open("d", O_WRONLY), EISDIR);
	CHECK_ERR(open("d", O_RDONLY | O_CREAT, 0644), EISDIR);
	fd = openat(d, "f", O_RDONLY);
	CHECK(fd >= 0 && fstat(fd, &a) == 0 && stat("d/f", &b) == 0);
	CHECK(a.st_ino == b.st_ino);
	CHECK_ERR(openat(fd, "x", O_RDONLY), ENOTDIR);
	CHECK_ERR(openat(999, "x", O_RDONLY), EBADF);
	CHECK(fstatat(fd, "", &a, AT_EMPTY_PATH) == 0 && a.st_ino == b.st_ino);
	CHECK(mkdirat(d, "sub", 0755) == 0);
	CHECK(renameat(d, "sub", AT_FDCWD, "sub") == 0);
	CHECK(unlinkat(AT_FDCWD, "sub", AT_REMOVEDIR) == 0);
	CHECK(symlinkat("f", d, "s") == 0);
	CHECK(fstatat(d, "s", &a, AT_SYMLINK_NOFOLLOW) == 0 &&
	      S_ISLNK(a.st_mode));
	CHECK(linkat(d, "f", d, "f2", 0) == 0 && unlinkat(d, "f2", 0) == 0);
	CHECK(close(fd) == 0 && fchdir(d) == 0 && stat("f", &a) == 0);
	CHECK(chdir("..") == 0 && close(d) == 0);
	d = open("d", O_PATH);
	CHECK(d >= 0 && fstat(d, &a) == 0 && S_ISDIR(a.st_mode));
	fd = openat(d, "f", O_RDONLY);
	CHECK(fd >= 0 && close(fd) == 0);
	CHECK_ERR(read(d, &a, 1), EBADF);
	CHECK(close(d) == 0);
	CHECK(access("d/f", F_OK) == 0 && access("d/f", R_OK | W_OK) == 0);
	CHECK_ERR(access("d/f", X_OK), EACCES);
	CHECK_ERR(access("d/x", F_OK), ENOENT);
}

static void deleted_cwd(void)
{
	char now[PATH_MAX];
	struct stat st;

	CHECK(mkdir("gone", 0755) == 0 && chdir("gone") == 0);
	CHECK(rmdir("../gone") == 0);
	CHECK(!getcwd(now, sizeof(now)) && errno == ENOENT);
	CHECK_ERR(open("f", O_CREAT | O_WRONLY, 0644), ENOENT);
	CHECK(stat(".", &st) == 0);
	CHECK(chdir("/") == 0);
}

int main(int argc, char **argv)
{
	CHECK(argc > 1 && chdir(argv[1]) == 0);
	CHECK(mkdir("d", 0755) == 0);
	write_file("d/f", "hello");
	links();
	dots();
	descriptors();
	deleted_cwd();
	return 0;
}

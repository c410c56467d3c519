/* SPDX-License-Identifier: BSD-2-Clause */
/* Making, linking, renaming and removing names: results and errors. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define NOREPLACE 1
#define EXCHANGE  2

static long rename_with(
    int from, const char *old, int to, const char *name, unsigned flags)
{
	return syscall(SYS_renameat2, from, old, to, name, flags);
}

static void touch(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY, 0644);

	CHECK(fd >= 0);
	CHECK(close(fd) == 0);
}

static void removing(void)
{
	CHECK(mkdir("d", 0755) == 0);
	CHECK_ERR(mkdir("d", 0755), EEXIST);
	CHECK_ERR(mkdir("d/", 0755), EEXIST);
	CHECK_ERR(mkdir("no/d", 0755), ENOENT);
	CHECK_ERR(unlink("d"), EISDIR);
	CHECK_ERR(rmdir("d/."), EINVAL);
	CHECK_ERR(rmdir("d/.."), ENOTEMPTY);
	touch("d/f");
	CHECK_ERR(rmdir("d"), ENOTEMPTY);
	CHECK_ERR(rmdir("d/f"), ENOTDIR);
	CHECK_ERR(unlink("d/f/"), ENOTDIR);
	CHECK_ERR(unlink("d/f/x"), ENOTDIR);
	CHECK_ERR(mkdir("d/f/x", 0755), ENOTDIR);
	CHECK(unlink("d/f") == 0);
	CHECK_ERR(unlink("d/f"), ENOENT);
	CHECK_ERR(unlink(""), ENOENT);
	CHECK(rmdir("d/") == 0);
	CHECK_ERR(rmdir("d"), ENOENT);
}

static void linking(void)
{
	struct stat a, b;
	char buf[PATH_MAX];

	touch("f");
	CHECK(link("f", "g") == 0);
	CHECK_ERR(link("f", "g"), EEXIST);
	CHECK_ERR(link("nothing", "h"), ENOENT);
	CHECK(mkdir("d", 0755) == 0);
	CHECK_ERR(link("d", "e"), EPERM);
	CHECK(stat("f", &a) == 0 && stat("g", &b) == 0);
	CHECK(a.st_ino == b.st_ino && a.st_nlink == 2 && b.st_nlink == 2);
	CHECK(symlink("f", "s") == 0);
	CHECK_ERR(symlink("f", "s"), EEXIST);
	CHECK_ERR(symlink("", "t"), ENOENT);
	CHECK(link("s", "s2") == 0);
	CHECK(lstat("s2", &a) == 0 && S_ISLNK(a.st_mode));
	CHECK(linkat(AT_FDCWD, "s", AT_FDCWD, "f2", AT_SYMLINK_FOLLOW) == 0);
	CHECK(lstat("f2", &a) == 0 && S_ISREG(a.st_mode));
	CHECK(readlink("s", buf, sizeof(buf)) == 1 && buf[0] == 'f');
	CHECK_ERR(readlink("f", buf, sizeof(buf)), EINVAL);
	CHECK(lstat("s", &a) == 0 && a.st_size == 1);
	CHECK(unlink("s") == 0 && unlink("s2") == 0 && unlink("f2") == 0);
	CHECK(stat("f", &a) == 0 && a.st_nlink == 2);
	CHECK(unlink("f") == 0);
	CHECK(stat("g", &a) == 0 && a.st_nlink == 1);
	CHECK(unlink("g") == 0 && rmdir("d") == 0);
}

static void renaming(void)
{
	struct stat a, b;

	touch("a");
	CHECK(mkdir("d", 0755) == 0 && mkdir("e", 0755) == 0);
	CHECK(rename("a", "b") == 0);
	CHECK_ERR(stat("a", &a), ENOENT);
	CHECK_ERR(rename("a", "c"), ENOENT);
	CHECK_ERR(rename("b", "d"), EISDIR);
	CHECK_ERR(rename("d", "b"), ENOTDIR);
	CHECK_ERR(rename("b", "c/"), ENOTDIR);
	CHECK_ERR(rename("d", "d/x"), EINVAL);
	touch("e/f");
	CHECK_ERR(rename("d", "e"), ENOTEMPTY);
	CHECK_ERR(rename("d/.", "x"), EBUSY);
	CHECK(stat("b", &a) == 0);
	touch("c");
	CHECK(rename("b", "c") == 0);
	CHECK(stat("c", &b) == 0 && a.st_ino == b.st_ino);
	CHECK(rename("c", "d/c") == 0 && stat("d/c", &b) == 0);
	CHECK(rename("d", "e/d") == 0 && stat("e/d/c", &b) == 0);
	CHECK(a.st_ino == b.st_ino);
	CHECK_ERR(
	    rename_with(AT_FDCWD, "e/f", AT_FDCWD, "e/d", NOREPLACE), EEXIST);
	CHECK(rename_with(AT_FDCWD, "e/f", AT_FDCWD, "e/d", EXCHANGE) == 0);
	CHECK(stat("e/f/c", &b) == 0 && a.st_ino == b.st_ino);
	CHECK(link("e/f/c", "c") == 0);
	CHECK(rename("c", "e/f/c") == 0); /* the same file: nothing done */
	CHECK(stat("c", &b) == 0 && b.st_nlink == 2);
	CHECK(unlink("c") == 0 && unlink("e/f/c") == 0);
	CHECK(unlink("e/d") == 0 && rmdir("e/f") == 0 && rmdir("e") == 0);
}

static void long_names(void)
{
	char name[400], path[PATH_MAX + 10];
	struct stat st;

	memset(name, 'n', sizeof(name));
	name[255] = 0;
	touch(name);
	CHECK(stat(name, &st) == 0 && unlink(name) == 0);
	name[255] = 'n';
	name[256] = 0;
	CHECK_ERR(open(name, O_CREAT | O_WRONLY, 0644), ENAMETOOLONG);
	CHECK_ERR(stat(name, &st), ENAMETOOLONG);
	for (size_t i = 0; i < sizeof(path) - 1; i += 2)
		memcpy(path + i, "./", 2);
	path[PATH_MAX - 1] = 0;
	CHECK(stat(path, &st) == 0 && S_ISDIR(st.st_mode));
	path[PATH_MAX - 1] = '.';
	path[PATH_MAX] = 0;
	CHECK_ERR(stat(path, &st), ENAMETOOLONG);
}

int main(int argc, char **argv)
{
	CHECK(argc > 1 && chdir(argv[1]) == 0);
	removing();
	linking();
	renaming();
	long_names();
	return 0;
}

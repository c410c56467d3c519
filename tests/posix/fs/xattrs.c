/* SPDX-License-Identifier: BSD-2-Clause */
/* Extended attributes of files: sizes, flags and errors. */
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "tests/posix/check.h"

int main(int argc, char **argv)
{
	char buf[256], big[300];
	int fd, path;

	CHECK(argc > 1 && chdir(argv[1]) == 0);
	fd = open("f", O_CREAT | O_RDWR, 0644);
	CHECK(fd >= 0 && setxattr("f", "user.one", "value", 5, 0) == 0);
	CHECK(getxattr("f", "user.one", NULL, 0) == 5);
	CHECK(getxattr("f", "user.one", buf, sizeof(buf)) == 5);
	CHECK(!memcmp(buf, "value", 5));
	CHECK_ERR(getxattr("f", "user.one", buf, 4), ERANGE);
	CHECK_ERR(getxattr("f", "user.two", buf, 4), ENODATA);
	CHECK_ERR(setxattr("f", "user.one", "x", 1, XATTR_CREATE), EEXIST);
	CHECK_ERR(setxattr("f", "user.two", "x", 1, XATTR_REPLACE), ENODATA);
	CHECK_ERR(setxattr("f", "user.two", "x", 1, 4), EINVAL);
	CHECK_ERR(setxattr("f", "", "x", 1, 0), ERANGE);
	CHECK_ERR(setxattr("no", "user.two", "x", 1, 0), ENOENT);
	CHECK_ERR(setxattr("f", "unknown.two", "x", 1, 0), EOPNOTSUPP);
	CHECK_ERR(setxattr("f", "user.two", buf, 65537, 0), E2BIG);
	memset(big, 'n', sizeof(big));
	memcpy(big, "user.", 5);
	big[256] = 0;
	CHECK_ERR(setxattr("f", big, "x", 1, 0), ERANGE);
	CHECK(setxattr("f", "user.one", "", 0, XATTR_REPLACE) == 0);
	CHECK(fgetxattr(fd, "user.one", buf, sizeof(buf)) == 0);
	CHECK(fsetxattr(fd, "user.two", "2", 1, XATTR_CREATE) == 0);
	CHECK(listxattr("f", NULL, 0) == 18);
	CHECK(flistxattr(fd, buf, sizeof(buf)) == 18);
	CHECK(memmem(buf, 18, "user.one", 9) && memmem(buf, 18, "user.two", 9));
	CHECK_ERR(listxattr("f", buf, 17), ERANGE);
	CHECK(symlink("f", "s") == 0);
	CHECK(getxattr("s", "user.two", buf, sizeof(buf)) == 1);
	CHECK_ERR(lsetxattr("s", "user.two", "x", 1, 0), EPERM);
	path = open("f", O_PATH);
	CHECK_ERR(fgetxattr(path, "user.two", buf, 1), EBADF);
	CHECK(fremovexattr(fd, "user.two") == 0);
	CHECK_ERR(removexattr("f", "user.two"), ENODATA);
	CHECK(
	    listxattr("f", NULL, 0) == 9 && removexattr("f", "user.one") == 0);
	CHECK(listxattr("f", buf, sizeof(buf)) == 0);
	return 0;
}

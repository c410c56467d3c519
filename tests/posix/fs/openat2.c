/* SPDX-License-Identifier: BSD-2-Clause */
/* needs root: openat2 and its restrictions, O_TMPFILE, chroot. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/posix/check.h"

static int open2(int dir, const char *path, unsigned long flags,
    unsigned long mode, unsigned long resolve)
{
	struct open_how how = {flags, mode, resolve};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static void restrictions(void)
{
	int dir, fd;

	CHECK(!mkdir("in", 0755) && !mkdir("in/deep", 0755));
	CHECK(!symlink("/in/file", "in/absolute"));
	CHECK(!symlink("file", "in/link"));
	CHECK(!symlink("../out", "in/up"));
	fd = open2(AT_FDCWD, "in/file", O_CREAT | O_WRONLY, 0600, 0);
	CHECK(fd >= 0 && !close(fd));
	fd = open("out", O_CREAT | O_WRONLY, 0600);
	CHECK(fd >= 0 && !close(fd));
	dir = open("in", O_PATH | O_DIRECTORY);

	CHECK((fd = open2(dir, "deep/../file", 0, 0, RESOLVE_BENEATH)) >= 0);
	CHECK(!close(fd));
	CHECK_ERR(open2(dir, "../out", 0, 0, RESOLVE_BENEATH), EXDEV);
	CHECK_ERR(open2(dir, "up", 0, 0, RESOLVE_BENEATH), EXDEV);
	CHECK_ERR(open2(dir, "/out", 0, 0, RESOLVE_BENEATH), EXDEV);
	CHECK_ERR(open2(dir, "../out", 0, 0, RESOLVE_IN_ROOT), ENOENT);
	CHECK((fd = open2(dir, "../../file", 0, 0, RESOLVE_IN_ROOT)) >= 0);
	CHECK(!close(fd));
	CHECK((fd = open2(dir, "/link", 0, 0, RESOLVE_IN_ROOT)) >= 0);
	CHECK(!close(fd));
	CHECK_ERR(open2(dir, "link", 0, 0, RESOLVE_NO_SYMLINKS), ELOOP);
	CHECK((fd = open2(dir, "link", 0, 0, RESOLVE_NO_XDEV)) >= 0);
	CHECK(!close(fd));
	CHECK_ERR(open2(dir, "/dev/null", 0, 0, RESOLVE_NO_XDEV), EXDEV);
	CHECK_ERR(
	    open2(AT_FDCWD, "/proc/self/fd/0", 0, 0, RESOLVE_NO_MAGICLINKS),
	    ELOOP);
	CHECK_ERR(open2(dir, "file", 0, 0600, 0), EINVAL);
	CHECK_ERR(open2(dir, "file", 1ul << 40, 0, 0), EINVAL);
	CHECK_ERR(open2(dir, "file", 0, 0, 0x1000), EINVAL);
	CHECK(!close(dir));
}

/* Where the file system has O_TMPFILE: in memory. */
static void nameless(void)
{
	char path[64];
	struct stat st;
	int fd = open("/dev/shm", O_TMPFILE | O_RDWR, 0600), other;

	CHECK(fd >= 0 && write(fd, "data", 4) == 4);
	CHECK(!fstat(fd, &st) && st.st_nlink == 0 && st.st_size == 4);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	unlink("/dev/shm/toril-named");
	CHECK(!linkat(AT_FDCWD, path, AT_FDCWD, "/dev/shm/toril-named",
	    AT_SYMLINK_FOLLOW));
	CHECK(!stat("/dev/shm/toril-named", &st) && st.st_size == 4);
	CHECK(st.st_nlink == 1);
	CHECK(!unlink("/dev/shm/toril-named") && !close(fd));
	fd = open("/dev/shm", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_ERR(linkat(AT_FDCWD, path, AT_FDCWD, "/dev/shm/toril-named",
		      AT_SYMLINK_FOLLOW),
	    ENOENT);
	other = open(path, O_RDONLY);
	CHECK(other >= 0 && !close(other) && !close(fd));
	CHECK_ERR(open("/dev/shm", O_TMPFILE | O_RDONLY, 0600), EINVAL);
}

static void confined(void)
{
	char cwd[256];
	struct stat st;

	CHECK_ERR(chroot("none"), ENOENT);
	CHECK_ERR(chroot("out"), ENOTDIR);
	CHECK(!chroot("in"));
	CHECK(getcwd(cwd, sizeof(cwd)) == NULL && errno == ENOENT);
	CHECK(!chdir("/"));
	CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/"));
	CHECK(!stat("/file", &st) && !stat("/../../file", &st));
	CHECK_ERR(stat("/out", &st), ENOENT);
	CHECK(!chdir("deep") && getcwd(cwd, sizeof(cwd)));
	CHECK(!strcmp(cwd, "/deep"));
}

int main(int argc, char **argv)
{
	(void)argc;
	CHECK(!chdir(argv[1]));
	restrictions();
	nameless();
	confined();
	return 0;
}

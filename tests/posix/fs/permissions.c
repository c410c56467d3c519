/* SPDX-License-Identifier: BSD-2-Clause */
/* needs root: What a process that has given up user 0 may still do, in memory.
 */
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

static char dir[64];

static void make(const char *name, mode_t mode, uid_t uid, gid_t gid)
{
	int fd = open(name, O_CREAT | O_RDWR, 0600);

	CHECK(fd >= 0 && !fchmod(fd, mode) && !fchown(fd, uid, gid));
	CHECK(!close(fd));
}

static int may(const char *name, int flags)
{
	int fd = open(name, flags);

	if (fd < 0) {
		CHECK(errno == EACCES);
		return 0;
	}
	CHECK(!close(fd));
	return 1;
}

static void prepare(void)
{
	umask(0);
	CHECK(snprintf(dir, sizeof(dir), "/dev/shm/toril-%ld",
		  (long)time(NULL)) > 0);
	CHECK(!mkdir(dir, 01777) && !chdir(dir));
	make("roots", 0600, 0, 0);
	make("readable", 0644, 0, 0);
	make("groups", 0060, 0, 500);
	make("own", 0200, 1000, 1000);
	CHECK(!mkdir("closed", 0700) && !mkdir("open", 0777));
	make("closed/file", 0666, 0, 0);
	make("open/file", 0666, 0, 0);
	CHECK(!mkdir("listed", 0755));
}

/* The saved user is root still. */
static void clean(void)
{
	CHECK(!seteuid(0));
	CHECK(!unlink("roots") && !unlink("readable") && !unlink("groups"));
	CHECK(!unlink("closed/file") && !rmdir("closed") && !rmdir("open"));
	CHECK(!rmdir("listed") && !rmdir(dir));
}

int main(void)
{
	gid_t group = 500;
	struct stat st;
	int fd;

	prepare();
	CHECK(!setgroups(1, &group) && !setgid(1000) &&
	      !setresuid(1000, 1000, 0));
	CHECK(!may("roots", O_RDONLY) && !may("roots", O_WRONLY));
	CHECK(may("readable", O_RDONLY) && !may("readable", O_RDWR));
	CHECK(may("groups", O_RDWR));
	CHECK(may("own", O_WRONLY) && !may("own", O_RDONLY));
	CHECK(!may("closed/file", O_RDONLY) && may("open/file", O_RDWR));
	CHECK_ERR(stat("closed/file", &st), EACCES);
	CHECK(!stat("closed", &st));
	CHECK(!access("readable", R_OK));
	CHECK_ERR(access("readable", W_OK), EACCES);
	CHECK_ERR(mkdir("listed/sub", 0700), EACCES);
	CHECK_ERR(open("listed/new", O_CREAT | O_WRONLY, 0600), EACCES);
	CHECK_ERR(unlink("roots"), EPERM); /* the sticky bit */
	CHECK_ERR(rename("roots", "mine"), EPERM);
	CHECK(!unlink("open/file"));
	CHECK_ERR(chmod("readable", 0777), EPERM);
	CHECK_ERR(chown("own", 0, -1), EPERM);
	CHECK(!chown("own", -1, 500) && !chmod("own", 0640));
	CHECK_ERR(truncate("readable", 0), EACCES);
	fd = open("new", O_CREAT | O_RDWR, 0600);
	CHECK(fd >= 0 && !fstat(fd, &st));
	CHECK(st.st_uid == 1000 && st.st_gid == 1000);
	CHECK(!unlink("new") && !unlink("own"));
	clean();
	return 0;
}

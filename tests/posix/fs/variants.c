/* SPDX-License-Identifier: BSD-2-Clause */
/* needs root: Calls that are variants of others, each once: by name where the
 * library has it, else by number. */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>
#include "tests/posix/check.h"

static struct stat st;

static void making(void)
{
	int fd = creat("made", 0640);

	CHECK(fd >= 0 && write(fd, "0123456789", 10) == 10 && !close(fd));
	CHECK(!mknod("node", S_IFREG | 0600, 0));
	CHECK(!mknodat(AT_FDCWD, "pipe", S_IFIFO | 0600, 0));
	CHECK(!stat("pipe", &st) && S_ISFIFO(st.st_mode));
	CHECK_ERR(mknod("dir", S_IFDIR | 0700, 0), EPERM);
	CHECK(!symlink("made", "link"));
}

static void owners_and_times(void)
{
	struct utimbuf u = {1000, 2000};
	struct timeval tv[2] = {{3000, 5}, {4000, 6}};
	int fd = open("made", O_RDWR);

	CHECK(!fchown(fd, 0, 0) && !lchown("link", 0, 0));
	CHECK(!fchownat(AT_FDCWD, "made", 0, 0, AT_SYMLINK_NOFOLLOW));
	CHECK(!syscall(SYS_utime, "made", &u));
	CHECK(!stat("made", &st) && st.st_mtime == 2000);
	CHECK(!syscall(SYS_utimes, "made", tv));
	CHECK(!stat("made", &st) && st.st_mtim.tv_nsec == 6000);
	tv[1].tv_sec = 5000;
	CHECK(!syscall(SYS_futimesat, AT_FDCWD, "made", tv));
	CHECK(!stat("made", &st) && st.st_mtime == 5000);
	CHECK(!close(fd));
}

static void asking(void)
{
	char buf[8];

	CHECK(readlinkat(AT_FDCWD, "link", buf, 8) == 4);
	CHECK(!syscall(SYS_faccessat, AT_FDCWD, "link", R_OK));
	CHECK(!syscall(
	    SYS_faccessat2, AT_FDCWD, "link", F_OK, AT_SYMLINK_NOFOLLOW));
	CHECK_ERR(syscall(SYS_faccessat2, AT_FDCWD, "link", 64, 0), EINVAL);
	CHECK_ERR(lgetxattr("made", "user.none", buf, 8), ENODATA);
	CHECK(llistxattr("made", buf, 0) >= 0);
	CHECK_ERR(lremovexattr("made", "user.none"), ENODATA);
}

static void moving(void)
{
	struct iovec out[2] = {{"ab", 2}, {"cd", 2}};
	char a[2], b[3];
	struct iovec in[2] = {{a, 2}, {b, 3}};
	int fd = open("made", O_RDWR);

	CHECK(pwritev(fd, out, 2, 2) == 4);
	CHECK(preadv(fd, in, 2, 1) == 5 && a[1] == 'a' && b[2] == 'd');
	CHECK(syscall(SYS_pwritev2, fd, out, 2, 0l, 0l, 0) == 4);
	CHECK(syscall(SYS_preadv2, fd, in, 2, -1l, 0l, 0) == 5);
	CHECK(a[0] == 'a' && lseek(fd, 0, SEEK_CUR) == 5);
	CHECK_ERR(syscall(SYS_preadv2, fd, in, 2, 0l, 0l, 1 << 20), EOPNOTSUPP);
	CHECK(!syscall(SYS_fadvise64, fd, 0l, 0l, POSIX_FADV_SEQUENTIAL));
	CHECK_ERR(syscall(SYS_fadvise64, fd, 0l, 0l, 99), EINVAL);
	CHECK(!readahead(fd, 0, 10));
	CHECK(!sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
	CHECK(!syncfs(fd));
	sync();
	CHECK(!close(fd));
}

static void descriptors(void)
{
	struct timespec none = {0, 0};
	struct epoll_event ev;
	int fd = dup3(0, 50, O_CLOEXEC), ep, in;

	CHECK(fd == 50 && fcntl(50, F_GETFD) == FD_CLOEXEC);
	CHECK_ERR(dup3(50, 50, 0), EINVAL);
	CHECK(dup2(0, 51) == 51 && dup2(0, 52) == 52);
	CHECK(!syscall(SYS_close_range, 50, 51, 0));
	CHECK_ERR(close(50), EBADF);
	CHECK(!close(52));
	ep = (int)syscall(SYS_epoll_create, 1);
	CHECK(ep >= 0);
	CHECK_ERR(syscall(SYS_epoll_create, 0), EINVAL);
	CHECK(epoll_pwait(ep, &ev, 1, 0, NULL) == 0);
	CHECK(syscall(SYS_epoll_pwait2, ep, &ev, 1, &none, NULL, 8) == 0);
	in = inotify_init();
	CHECK(in >= 0 && !close(in) && !close(ep));
}

int main(int argc, char **argv)
{
	(void)argc;
	CHECK(!chdir(argv[1]));
	making();
	owners_and_times();
	asking();
	moving();
	descriptors();
	return 0;
}

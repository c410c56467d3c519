/* SPDX-License-Identifier: BSD-2-Clause */
/* fcntl locks: of the process, which never conflict within it, and of open
 * files, which do. */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
#include "tests/posix/check.h"

static int a, b;

static struct flock range(short type, off_t start, off_t len)
{
	return (struct flock){.l_type = type,
	    .l_whence = SEEK_SET,
	    .l_start = start,
	    .l_len = len};
}

static int set(int fd, int cmd, short type, off_t start, off_t len)
{
	struct flock lk = range(type, start, len);

	return fcntl(fd, cmd, &lk);
}

static void *waiter(void *arg)
{
	CHECK(!set(b, F_OFD_SETLKW, F_WRLCK, 10, 10));
	CHECK(!set(b, F_OFD_SETLK, F_UNLCK, 0, 0));
	return arg;
}

int main(int argc, char **argv)
{
	struct flock lk;
	pthread_t t;
	int c;

	(void)argc;
	CHECK(!chdir(argv[1]));
	a = open("file", O_CREAT | O_RDWR, 0600);
	b = open("file", O_RDWR);
	c = open("file", O_RDONLY);
	CHECK(a >= 0 && b >= 0);
	CHECK(!set(a, F_SETLK, F_WRLCK, 0, 100));
	CHECK(!set(b, F_SETLK, F_WRLCK, 0, 100));
	lk = range(F_WRLCK, 0, 0);
	CHECK(!fcntl(b, F_GETLK, &lk) && lk.l_type == F_UNLCK);
	CHECK_ERR(set(b, F_OFD_SETLK, F_RDLCK, 50, 1), EAGAIN);
	lk = range(F_RDLCK, 0, 0);
	CHECK(!fcntl(b, F_OFD_GETLK, &lk));
	CHECK(lk.l_type == F_WRLCK && lk.l_start == 0 && lk.l_len == 100);
	CHECK(lk.l_pid == getpid());
	CHECK(!close(c)); /* any close drops the process's locks */
	CHECK(!set(b, F_OFD_SETLK, F_RDLCK, 50, 1));
	CHECK(!set(b, F_OFD_SETLK, F_UNLCK, 0, 0));

	CHECK(!set(a, F_OFD_SETLK, F_WRLCK, 0, 30));
	CHECK(!set(a, F_OFD_SETLK, F_UNLCK, 5, 5));
	CHECK(!set(b, F_OFD_SETLK, F_WRLCK, 5, 5));
	CHECK_ERR(set(b, F_OFD_SETLK, F_WRLCK, 5, 6), EAGAIN);
	CHECK_ERR(set(b, F_OFD_SETLK, F_RDLCK, 4, 1), EAGAIN);
	lk = range(F_WRLCK, 0, 0);
	CHECK(!fcntl(b, F_GETLK, &lk));
	CHECK(lk.l_type == F_WRLCK && lk.l_pid == -1);
	CHECK(!pthread_create(&t, NULL, waiter, NULL));
	usleep(10000);
	CHECK(!set(a, F_OFD_SETLK, F_UNLCK, 0, 0));
	CHECK(!pthread_join(t, NULL));

	lk = range(F_RDLCK, 0, 1);
	lk.l_pid = 1;
	CHECK_ERR(fcntl(a, F_OFD_SETLK, &lk), EINVAL);
	lk = range(F_WRLCK, -1, 1);
	CHECK_ERR(fcntl(a, F_SETLK, &lk), EINVAL);
	lk = range(7, 0, 1);
	CHECK_ERR(fcntl(a, F_SETLK, &lk), EINVAL);
	c = open("file", O_RDONLY);
	CHECK_ERR(set(c, F_SETLK, F_WRLCK, 0, 1), EBADF);
	CHECK(write(a, "0123456789", 10) == 10);
	lk = (struct flock){.l_type = F_WRLCK,
	    .l_whence = SEEK_END,
	    .l_start = -4,
	    .l_len = -2};
	CHECK(!fcntl(a, F_OFD_SETLK, &lk));
	lk = range(F_RDLCK, 0, 0);
	CHECK(!fcntl(b, F_OFD_GETLK, &lk));
	CHECK(lk.l_start == 4 && lk.l_len == 2 && lk.l_whence == SEEK_SET);
	return 0;
}

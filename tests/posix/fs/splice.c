/* SPDX-License-Identifier: BSD-2-Clause */
/* splice, tee and vmsplice. */
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>
#include "tests/posix/check.h"

int main(int argc, char **argv)
{
	struct iovec iov[2] = {{"gather", 6}, {"ed", 2}};
	char text[64] = "";
	off_t off = 2;
	int p[2], q[2], fd, to;

	(void)argc;
	CHECK(!chdir(argv[1]));
	fd = open("from", O_CREAT | O_RDWR, 0600);
	to = open("to", O_CREAT | O_RDWR, 0600);
	CHECK(!pipe(p) && !pipe(q));
	CHECK(write(fd, "0123456789", 10) == 10);

	CHECK(splice(fd, &off, p[1], NULL, 5, 0) == 5 && off == 7);
	CHECK(tee(p[0], q[1], 100, 0) == 5);
	CHECK(splice(p[0], NULL, to, NULL, 100, 0) == 5);
	CHECK(read(q[0], text, 64) == 5 && !memcmp(text, "23456", 5));
	CHECK(pread(to, text, 64, 0) == 5 && !memcmp(text, "23456", 5));
	CHECK_ERR(splice(p[0], NULL, to, NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);

	CHECK(vmsplice(p[1], iov, 2, 0) == 8);
	off = 100;
	CHECK(splice(p[0], NULL, to, &off, 6, SPLICE_F_MOVE) == 6);
	CHECK(off == 106);
	CHECK(splice(p[0], NULL, q[1], NULL, 6, 0) == 2);
	CHECK(read(q[0], text, 64) == 2 && !memcmp(text, "ed", 2));
	CHECK(pread(to, text, 64, 100) == 6 && !memcmp(text, "gather", 6));

	CHECK_ERR(splice(fd, NULL, to, NULL, 1, 0), EINVAL);
	CHECK_ERR(splice(p[0], &off, to, NULL, 1, 0), ESPIPE);
	CHECK_ERR(tee(fd, q[1], 1, 0), EINVAL);
	CHECK_ERR(splice(p[0], NULL, p[1], NULL, 1, 0), EINVAL);
	CHECK_ERR(splice(p[0], NULL, 99, NULL, 1, 0), EBADF);
	CHECK(!fcntl(p[0], F_SETFL, O_NONBLOCK));
	CHECK_ERR(splice(p[0], NULL, to, NULL, 1, 0), EAGAIN);
	CHECK(!close(p[1]));
	CHECK(splice(p[0], NULL, to, NULL, 1, 0) == 0);
	return 0;
}

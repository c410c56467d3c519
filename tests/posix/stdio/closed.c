/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors: dup, dup2, close, EBADF. */
#include <fcntl.h>
#include <unistd.h>
#include "tests/posix/check.h"

int main(void)
{
	char c;
	int fd = dup(1);

	CHECK(fd == 3);
	CHECK(close(1) == 0);
	CHECK_ERR(write(1, "x", 1), EBADF);
	CHECK(dup2(fd, 1) == 1);
	CHECK(write(1, "back\n", 5) == 5);
	CHECK(fcntl(fd, F_DUPFD_CLOEXEC, 10) == 10);
	CHECK(fcntl(10, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(fd, F_GETFD) == 0);
	CHECK(close(fd) == 0 && close(10) == 0);
	CHECK_ERR(close(fd), EBADF);
	CHECK_ERR(read(99, &c, 1), EBADF);
	CHECK_ERR(dup2(77, 5), EBADF);
	CHECK_ERR(read(1234567, &c, 1), EBADF);
	CHECK_ERR(lseek(0, 0, SEEK_CUR), ESPIPE);

	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Wrong pointers are EFAULT, not a fault. */
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

int main(void)
{
	struct iovec iov = {(void *)16, 5};
	int pipes[2];

	CHECK(pipe(pipes) == 0);
	CHECK_ERR(write(pipes[1], (void *)8, 1), EFAULT);
	CHECK_ERR(writev(pipes[1], &iov, 1), EFAULT);
	CHECK_ERR(writev(pipes[1], (void *)24, 1), EFAULT);
	CHECK(write(pipes[1], "abc", 3) == 3);
	CHECK_ERR(read(pipes[0], (void *)8, 1), EFAULT);
	CHECK_ERR(read(pipes[0], (void *)0xffff800000100000, 1), EFAULT);
	CHECK_ERR(read(pipes[0], (void *)0xdead000000000000, 1), EFAULT);
	CHECK_ERR(pipe((void *)8), EFAULT);
	CHECK_ERR(stat((void *)8, (void *)8), EFAULT);
	CHECK_ERR(nanosleep((void *)8, NULL), EFAULT);
	CHECK_ERR(chdir((void *)0xffff800000000000), EFAULT);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* stdout and stderr are apart.
 * stderr: ^err 1\nerr 2\n$ */
#include <unistd.h>
#include "tests/posix/check.h"

int main(void)
{
	puts("out 1");
	fputs("err 1\n", stderr);
	puts("out 2");
	fflush(stdout);
	CHECK(write(2, "err 2\n", 6) == 6);
	return 0;
}

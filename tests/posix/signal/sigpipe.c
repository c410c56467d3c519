/* SPDX-License-Identifier: BSD-2-Clause */
/* expect: signal 13 */
#include <unistd.h>
#include "tests/posix/check.h"

int main(void)
{
	int pipes[2];

	CHECK(!pipe(pipes) && !close(pipes[0]));
	return (int)write(pipes[1], "x", 1);
}

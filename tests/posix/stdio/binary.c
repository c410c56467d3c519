/* SPDX-License-Identifier: BSD-2-Clause */
/* A mebibyte of all byte values, in and out unchanged.
 * stdin: 1048577 */
#include <unistd.h>
#include "tests/posix/check.h"

int main(void)
{
	static unsigned char buf[70000];
	size_t total = 0;
	ssize_t n;

	while ((n = read(0, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0, w; at < n; at += w) {
			w = write(1, buf + at, (size_t)(n - at));
			CHECK(w > 0);
		}
		total += (size_t)n;
	}
	CHECK(n == 0 && read(0, buf, 1) == 0);
	CHECK(total == 1048577);
	return 0;
}

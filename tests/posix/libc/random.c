/* SPDX-License-Identifier: BSD-2-Clause */
/* getrandom and getentropy give bytes, and others the next time. */
#include <sys/random.h>
#include <unistd.h>
#include "tests/posix/check.h"

int main(void)
{
	unsigned char a[256] = {0}, b[256] = {0};
	int ones = 0;

	CHECK(getrandom(a, sizeof(a), 0) == sizeof(a));
	CHECK(getentropy(b, sizeof(b)) == 0);
	CHECK(memcmp(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a); i++)
		ones += __builtin_popcount(a[i]);
	CHECK(ones > 800 && ones < 1250);
	CHECK_ERR(getentropy(b, 257), EIO);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Out of memory is ENOMEM, and goes on after some is freed.
 * toril only: Linux would rather kill somebody.
 * options: -m 16M */
#include <pthread.h>
#include <sys/mman.h>
#include "tests/posix/check.h"

static void *nothing(void *arg)
{
	return arg;
}

int main(void)
{
	static char *block[2000];
	pthread_t t;
	int n = 0;

	for (int round = 0; round < 5; round++) {
		for (n = 0; n < 2000; n++) {
			block[n] = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
			if (block[n] == MAP_FAILED)
				break;
			memset(block[n], n, 65536);
		}
		CHECK(n > 50 && n < 2000 && errno == ENOMEM);
		while (n--) {
			CHECK(block[n][65535] == (char)n);
			CHECK(!munmap(block[n], 65536));
		}
		CHECK(!pthread_create(&t, NULL, nothing, NULL));
		CHECK(!pthread_join(t, NULL));
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Two hundred threads at once, each result joined. */
#include <pthread.h>
#include "tests/posix/check.h"

static void *work(void *arg)
{
	char local[4000];

	memset(local, (int)(long)arg, sizeof(local));
	return (void *)((long)arg + (unsigned char)local[3999]);
}

int main(void)
{
	pthread_t t[200];
	void *result;

	for (long round = 0; round < 3; round++) {
		for (long i = 0; i < 200; i++)
			CHECK(!pthread_create(&t[i], NULL, work, (void *)i));
		for (long i = 0; i < 200; i++) {
			CHECK(!pthread_join(t[i], &result));
			CHECK((long)result == i + i % 256);
		}
	}
	return 0;
}

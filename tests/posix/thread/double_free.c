/* SPDX-License-Identifier: BSD-2-Clause */
/* expect: signal 11
 *
 * What is freed twice ends the program, also where there are threads. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include "tests/posix/check.h"

static void *sleeps(void *arg)
{
	pause();
	return arg;
}

int main(void)
{
	void *volatile p = malloc(100), *volatile q = malloc(100);
	pthread_t t;

	CHECK(!pthread_create(&t, NULL, sleeps, NULL));
	free(p);
	free(q);
	free(p);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The smallest stack is enough for kernel calls. */
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include "tests/posix/check.h"

static int pipes[2];

static void *work(void *arg)
{
	char c = 'x';

	(void)arg;
	for (int i = 0; i < 100; i++) {
		CHECK(write(pipes[1], &c, 1) == 1);
		CHECK(read(pipes[0], &c, 1) == 1);
	}
	return NULL;
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t t;

	CHECK(!pipe(pipes));
	CHECK(!pthread_attr_init(&attr));
	CHECK(!pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN));
	for (int i = 0; i < 20; i++) {
		CHECK(!pthread_create(&t, &attr, work, NULL));
		CHECK(!pthread_join(t, NULL));
	}
	return 0;
}

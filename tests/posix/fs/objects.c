/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/toril/objects counts descriptors, threads and what is behind them.
 * toril only: Linux has slabinfo, for root. */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/posix/check.h"

static sem_t go;

static long count(const char *name)
{
	char line[128];
	long n = -1, v;
	FILE *f = fopen("/proc/toril/objects", "r");

	CHECK(f != NULL);
	while (fgets(line, sizeof(line), f)) {
		char *blank = strchr(line, ' ');

		CHECK(blank && sscanf(blank, "%ld", &v) == 1);
		*blank = 0;
		if (!strcmp(line, name))
			n = v;
	}
	fclose(f);
	CHECK(n >= 0);
	return n;
}

static void *wait_for_it(void *arg)
{
	sem_wait(&go);
	return arg;
}

int main(void)
{
	long fds = count("descriptors"), threads = count("threads");
	long pages = count("pages"), objects = count("objects_128");
	int fd[200];
	pthread_t t;

	for (int i = 0; i < 200; i++)
		CHECK((fd[i] = open("/dev/null", O_RDONLY)) >= 0);
	CHECK(count("descriptors") == fds + 200);
	CHECK(count("pages") > pages);
	for (int i = 0; i < 200; i++)
		close(fd[i]);
	CHECK(count("descriptors") == fds);
	CHECK(count("objects_128") <= objects + 16);
	sem_init(&go, 0, 0);
	CHECK(pthread_create(&t, NULL, wait_for_it, NULL) == 0);
	CHECK(count("threads") == threads + 1);
	sem_post(&go);
	CHECK(pthread_join(t, NULL) == 0);
	return 0;
}

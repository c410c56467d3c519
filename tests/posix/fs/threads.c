/* SPDX-License-Identifier: BSD-2-Clause */
/* Many threads at work on the same directory and files. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define THREADS 16
#define ROUNDS  40

static void *worker(void *arg)
{
	int me = (int)(long)arg;
	char name[32], to[32], buf[40000], back[40000];

	for (int i = 0; i < ROUNDS; i++) {
		size_t n = (size_t)(me * 1000 + i * 577) % sizeof(buf);
		int fd;
		memset(buf, me + i, n);
		snprintf(name, sizeof(name), "t%d-%d", me, i);
		snprintf(to, sizeof(to), "u%d-%d", me, i);
		fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0644);
		CHECK(fd >= 0);
		CHECK(write(fd, buf, n) == (ssize_t)n);
		CHECK(rename(name, to) == 0);
		CHECK(pread(fd, back, sizeof(back), 0) == (ssize_t)n);
		CHECK(!memcmp(buf, back, n) && close(fd) == 0);
		fd = open(to, O_RDONLY);
		CHECK(fd >= 0 && read(fd, back, sizeof(back)) == (ssize_t)n);
		CHECK(!memcmp(buf, back, n) && close(fd) == 0);
		CHECK(unlink(to) == 0);
		fd = open("shared", O_WRONLY | O_APPEND);
		CHECK(fd >= 0 && write(fd, buf, 100) == 100);
		CHECK(close(fd) == 0);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS];
	struct stat st;
	int fd;

	CHECK(argc > 1 && chdir(argv[1]) == 0);
	fd = open("shared", O_CREAT | O_WRONLY, 0644);
	CHECK(fd >= 0 && close(fd) == 0);
	for (long i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&t[i], NULL, worker, (void *)i));
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(t[i], NULL));
	CHECK(stat("shared", &st) == 0);
	CHECK(st.st_size == THREADS * ROUNDS * 100);
	return 0;
}

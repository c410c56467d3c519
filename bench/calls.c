/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls FOLDER: what kernel calls cost.  Each is done many times within a span
 * (span.h), and each span several times, of which the cheapest counts.
 * bench/count.py makes the folder's files, and reads the line that is printed
 * for each span: number, times, name.
 */
#include "bench/span.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUNDS 7
#define TIMES  200
#define FILES  50 /* never looked at before */

static const char *dir;
static int zero, null, there[2], back[2];
static sem_t ping_sem, pong_sem;
static char path[256], buf[4096];

static bool check(bool good, const char *what)
{
	if (!good)
		perror(what);
	return good;
}

static bool nothing(void)
{
	__asm__ volatile("" : : : "memory");
	return true;
}

static bool pid(void)
{
	return getpid() > 0;
}

static bool zero_read(void)
{
	return read(zero, buf, 1) == 1;
}

static bool null_write(void)
{
	return write(null, buf, 1) == 1;
}

static bool status(void)
{
	struct stat st;

	return !stat(path, &st) && st.st_size == sizeof(buf);
}

static bool file_read(void)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	bool good = fd >= 0 && !fstat(fd, &st) &&
		    read(fd, buf, sizeof(buf)) == sizeof(buf);

	return !close(fd) && good;
}

/* Until the pipe's end. */
static void *echo(void *arg)
{
	char c;

	while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
		;
	return arg;
}

static bool ping(void)
{
	return write(there[1], buf, 1) == 1 && read(back[0], buf, 1) == 1;
}

/* For ever. */
static void *answer(void *arg)
{
	while (!sem_wait(&ping_sem))
		sem_post(&pong_sem);
	return arg;
}

static bool semaphores(void)
{
	return !sem_post(&ping_sem) && !sem_wait(&pong_sem);
}

static void *no_work(void *arg)
{
	return arg;
}

static bool thread(void)
{
	pthread_t t;

	return !pthread_create(&t, NULL, no_work, NULL) &&
	       !pthread_join(t, NULL);
}

static bool mapping(void)
{
	char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return false;
	*p = 1;
	return !munmap(p, 65536);
}

/* Some are kept for a while. */
static bool allocate(void)
{
	static void *kept[64];
	static unsigned x = 12345;
	void **one;

	x = x * 1664525 + 1013904223;
	one = &kept[x >> 16 & 63];
	free(*one);
	*one = malloc(16 + (x >> 22 & 511));
	return *one;
}

static bool next_file(void)
{
	static int n;

	snprintf(path, sizeof(path), "%s/%d", dir, n++);
	return file_read();
}

/* The span's number must be a constant: one of these for each. */
#define SPAN(number, name, rounds, times, call)                                \
	do {                                                                   \
		bool good = true;                                              \
		for (int r = 0; r < (rounds); r++) {                           \
			SPAN_BEGIN(number);                                    \
			for (int i = 0; i < (times); i++)                      \
				good &= call();                                \
			SPAN_END(number);                                      \
		}                                                              \
		if (!check(good, name))                                        \
			return 1;                                              \
		printf("%d %d %s\n", number, times, name);                     \
	} while (0)

static int small_calls(void)
{
	SPAN(0, "(loop)", ROUNDS, TIMES, nothing);
	SPAN(1, "getpid", ROUNDS, TIMES, pid);
	SPAN(2, "read of 1 byte of /dev/zero", ROUNDS, TIMES, zero_read);
	SPAN(3, "write of 1 byte to /dev/null", ROUNDS, TIMES, null_write);
	return 0;
}

/* Within the second for which attributes are good, or so: a round that comes
 * too late is not the cheapest. */
static int files(void)
{
	snprintf(path, sizeof(path), "%s/file", dir);
	SPAN(4, "stat of a file", ROUNDS, TIMES / 4, status);
	SPAN(5, "open, fstat, read of 4 KiB, close, cached", ROUNDS, TIMES / 4,
	    file_read);
	SPAN(6, "the same, never seen before", 1, FILES, next_file);
	return 0;
}

static int threads(void)
{
	pthread_t t, answers;

	if (!check(!pipe(there) && !pipe(back), "pipe") ||
	    pthread_create(&t, NULL, echo, NULL) ||
	    !check(!sem_init(&ping_sem, 0, 0) && !sem_init(&pong_sem, 0, 0),
		"sem_init") ||
	    pthread_create(&answers, NULL, answer, NULL))
		return 1;
	SPAN(7, "pipe there and back between threads", ROUNDS, TIMES, ping);
	close(there[1]);
	pthread_join(t, NULL);
	SPAN(10, "semaphore there and back between threads", ROUNDS, TIMES,
	    semaphores);
	SPAN(8, "thread create and join", ROUNDS, TIMES, thread);
	SPAN(9, "mmap of 64 KiB, touch, munmap", ROUNDS, TIMES, mapping);
	SPAN(11, "malloc and free, mixed sizes", ROUNDS, TIMES, allocate);
	return 0;
}

int main(int argc, char **argv)
{
	dir = argc > 1 ? argv[1] : ".";
	zero = open("/dev/zero", O_RDONLY);
	null = open("/dev/null", O_WRONLY);
	if (!check(zero >= 0 && null >= 0, "/dev") || small_calls() ||
	    files() || threads())
		return 1;
	return 0;
}

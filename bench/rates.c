/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rates MILLISECONDS FOLDER NAME...: how much of each kind of work is done in
 * that time, by the machine's own clock: a line `NAME RATE` for each.
 *
 * What reads files takes them cold: each of its files is read once.  `reads`
 * stands for all reads of the files r0, r1 and so on.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PART (1u << 20)

static const char *folder;
static double seconds;
static char buf[PART] __attribute__((aligned(4096)));
static int there[2], back[2];
static sem_t ping, pong;

static void die(const char *what)
{
	fprintf(stderr, "rates: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int open_in(const char *name, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, flags, 0644);
	if (fd < 0)
		die(path);
	return fd;
}

static void *pipe_echo(void *arg)
{
	char c;

	while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
		;
	return arg;
}

static void pipe_once(void)
{
	char c = 0;

	if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
		die("pipe");
}

static void *semaphore_echo(void *arg)
{
	for (;;) {
		sem_wait(&ping);
		sem_post(&pong);
	}
	return arg;
}

static void semaphore_once(void)
{
	sem_post(&ping);
	sem_wait(&pong);
}

static void *no_work(void *arg)
{
	return arg;
}

static void thread_once(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, no_work, NULL) || pthread_join(t, NULL))
		die("thread");
}

static void mapping_once(void)
{
	char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	for (int i = 0; i < 65536; i += 4096)
		p[i] = 1;
	munmap(p, 65536);
}

/* A hundred of mixed sizes, some kept for a while. */
static void malloc_once(void)
{
	static void *kept[64];
	static unsigned x = 12345;

	for (int n = 0; n < 100; n++) {
		x = x * 1664525 + 1013904223;
		unsigned i = x >> 16 & 63;
		free(kept[i]);
		kept[i] = malloc(16 + (x >> 22 & 511));
		if (!kept[i])
			die("malloc");
		*(char *)kept[i] = 1;
	}
}

static void file_once(void)
{
	struct stat st;
	int fd = open_in("small", O_RDONLY);

	if (fstat(fd, &st) || read(fd, buf, 4096) != 4096)
		die("small");
	close(fd);
}

static void create_once(void)
{
	char path[256];

	close(open_in("new", O_CREAT | O_WRONLY | O_EXCL));
	snprintf(path, sizeof(path), "%s/new", folder);
	if (unlink(path))
		die("unlink");
}

static double rate(void (*once)(void))
{
	double from = now(), at;
	unsigned long n = 0;

	do {
		for (int i = 0; i < 10; i++)
			once();
		n += 10;
		at = now();
	} while (at - from < seconds);
	return (double)n / (at - from);
}

/* MiB a second; at most four times the time that a rate takes. */
static double read_file(const char *name, size_t size, bool random)
{
	int fd = open_in(name, O_RDONLY);
	struct stat st;
	double from = now(), at;
	unsigned long count, n = 0, x = 0;

	if (fstat(fd, &st))
		die(name);
	count = (unsigned long)st.st_size / size;
	do {
		/* An odd factor: each part once, in no order. */
		x = random ? n * 40503 % count : n;
		if (pread(fd, buf, size, (off_t)(x * size)) != (ssize_t)size)
			die(name);
		at = now();
	} while (++n < count && at - from < 4 * seconds);
	close(fd);
	return (double)n * (double)size / (1 << 20) / (at - from);
}

static void reads(void)
{
	static const size_t sizes[] = {4096, 65536, 1 << 20};
	static const char *const names[] = {"4K", "64K", "1M"};
	char name[16];

	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		printf("%s-%s %.3f\n", i & 1 ? "random" : "sequential",
		    names[i / 2], read_file(name, sizes[i / 2], i & 1));
		fflush(stdout);
	}
}

static double write_file(size_t size)
{
	int fd = open_in("written", O_CREAT | O_TRUNC | O_WRONLY);
	double from = now(), at;
	unsigned long n = 0, most = (16ul << 20) / size;

	do {
		if (write(fd, buf, size) != (ssize_t)size)
			die("write");
		at = now();
	} while (++n < most && at - from < 2 * seconds);
	close(fd);
	return (double)n * (double)size / (1 << 20) / (at - from);
}

/* Entries a second of one pass. */
static double list_folder(void)
{
	char path[256];
	double from = now();
	unsigned long n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/many", folder);
	dir = opendir(path);
	if (!dir)
		die(path);
	while (readdir(dir))
		n++;
	closedir(dir);
	if (n < 10000)
		die("readdir");
	return (double)n / (now() - from);
}

static double pipes(void)
{
	pthread_t t;

	if (pipe(there) || pipe(back) ||
	    pthread_create(&t, NULL, pipe_echo, NULL))
		die("pipe");
	return rate(pipe_once);
}

static double semaphores(void)
{
	pthread_t t;

	sem_init(&ping, 0, 0);
	sem_init(&pong, 0, 0);
	if (pthread_create(&t, NULL, semaphore_echo, NULL))
		die("futex");
	return rate(semaphore_once);
}

static double measure(const char *name)
{
	if (!strcmp(name, "pipe"))
		return pipes();
	if (!strcmp(name, "futex"))
		return semaphores();
	if (!strcmp(name, "thread"))
		return rate(thread_once);
	if (!strcmp(name, "mapping"))
		return rate(mapping_once);
	if (!strcmp(name, "malloc"))
		return rate(malloc_once) * 100;
	if (!strcmp(name, "file"))
		return rate(file_once);
	if (!strcmp(name, "create"))
		return rate(create_once);
	if (!strcmp(name, "readdir"))
		return list_folder();
	if (!strcmp(name, "write-4K"))
		return write_file(4096);
	if (!strcmp(name, "write-64K"))
		return write_file(65536);
	if (!strcmp(name, "write-1M"))
		return write_file(1 << 20);
	errno = EINVAL;
	die(name);
	return 0;
}

int main(int argc, char **argv)
{
	double from;

	if (argc < 4)
		return 2;
	seconds = atof(argv[1]) / 1000;
	folder = argv[2];
	from = now();
	puts("begin");
	fflush(stdout);
	for (int i = 3; i < argc; i++) {
		if (!strcmp(argv[i], "reads"))
			reads();
		else
			printf("%s %.3f\n", argv[i], measure(argv[i]));
		fflush(stdout);
	}
	printf("end %.6f\n", now() - from);
	return 0;
}

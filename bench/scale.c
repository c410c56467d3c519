/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scale: what so many threads get done in a time.  For each line
 * `NAME THREADS MILLISECONDS` of standard input it prints a line with the rate
 * of that kind of work, in rounds a second.
 *
 * The same source runs on the host, to know what it has to give.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64

static atomic_bool over;

static void die(const char *what)
{
	fprintf(stderr, "scale: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* A checksum of 4 KiB in four lanes: as most computing does, it keeps more
 * of a CPU busy than one chain of operations would. */
static unsigned long compute(void)
{
	unsigned long block[512], lane[4] = {1, 2, 3, 4}, n = 0;
	static _Atomic unsigned long result;

	memset(block, 42, sizeof(block));
	for (; !over; n++)
		for (int i = 0; i < 512; i++) {
			unsigned long *l = &lane[i & 3];
			*l = (*l ^ block[i]) * 0x9e3779b97f4a7c15;
			*l ^= *l >> 29;
		}
	result += lane[0] ^ lane[1] ^ lane[2] ^ lane[3];
	return n;
}

/* A mixture of sizes, some kept for a while. */
static unsigned long allocate(void)
{
	void *kept[64] = {NULL};
	unsigned x = 12345;
	unsigned long n = 0;

	for (; !over; n++) {
		x = x * 1664525 + 1013904223;
		unsigned i = x >> 16 & 63;
		free(kept[i]);
		kept[i] = malloc(16 + (x >> 22 & 511));
		if (!kept[i])
			die("malloc");
		*(char *)kept[i] = 1;
	}
	for (int i = 0; i < 64; i++)
		free(kept[i]);
	return n;
}

static unsigned long files(void)
{
	char name[64], block[4096];
	unsigned long n = 0;
	struct stat st;
	int fd;

	snprintf(
	    name, sizeof(name), "scale.%lx", (unsigned long)pthread_self());
	fd = open(name, O_CREAT | O_WRONLY, 0600);
	if (fd < 0 || write(fd, block, sizeof(block)) != sizeof(block))
		die(name);
	close(fd);
	for (; !over; n++) {
		fd = open(name, O_RDONLY);
		if (fd < 0 || fstat(fd, &st) ||
		    read(fd, block, sizeof(block)) != sizeof(block))
			die(name);
		close(fd);
	}
	unlink(name);
	return n;
}

static void *echo(void *arg)
{
	int *fd = arg;
	char c;

	while (read(fd[0], &c, 1) == 1 && write(fd[3], &c, 1) == 1)
		;
	return NULL;
}

static unsigned long pipes(void)
{
	unsigned long n = 0;
	pthread_t t;
	int fd[4];
	char c = 0;

	if (pipe(fd) || pipe(fd + 2) || pthread_create(&t, NULL, echo, fd))
		die("pipe");
	for (; !over; n++)
		if (write(fd[1], &c, 1) != 1 || read(fd[2], &c, 1) != 1)
			die("pipe");
	close(fd[1]);
	pthread_join(t, NULL);
	close(fd[0]);
	close(fd[2]);
	close(fd[3]);
	return n;
}

static unsigned long touch(void);
static unsigned long lseeks(void);

static const struct work {
	const char *name;
	unsigned long (*fn)(void);
} works[] = {
    {"compute", compute},
    {"malloc", allocate},
    {"file", files},
    {"pipe", pipes},
    {"touch", touch},
    {"lseek", lseeks},
};

/* Map, touch and unmap 16 pages. */
#include <sys/mman.h>
static unsigned long touch(void)
{
	unsigned long n = 0;

	for (; !over; n++) {
		char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			die("mmap");
		for (int i = 0; i < 16; i++)
			p[i * 4096] = 1;
		munmap(p, 65536);
	}
	return n;
}

/* A call that does next to nothing, each thread with a descriptor. */
static unsigned long lseeks(void)
{
	unsigned long n = 0;
	int fd = open("/dev/null", O_RDONLY);

	for (; !over; n++)
		(void)lseek(fd, 0, SEEK_CUR);
	close(fd);
	return n;
}

static pthread_barrier_t ready;
static unsigned long (*fn)(void);

static void *thread(void *arg)
{
	pthread_barrier_wait(&ready);
	*(unsigned long *)arg = fn();
	return NULL;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double measure(unsigned threads, unsigned ms)
{
	struct timespec wait = {ms / 1000, ms % 1000 * 1000000};
	unsigned long count[THREADS_MAX], sum = 0;
	pthread_t t[THREADS_MAX];
	double start;

	over = false;
	if (pthread_barrier_init(&ready, NULL, threads + 1))
		die("barrier");
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&t[i], NULL, thread, &count[i]))
			die("pthread_create");
	pthread_barrier_wait(&ready);
	start = now();
	nanosleep(&wait, NULL);
	over = true;
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(t[i], NULL);
		sum += count[i];
	}
	return (double)sum / (now() - start);
}

static double serve(const char *line)
{
	unsigned threads, ms;
	char name[16];

	if (sscanf(line, "%15s %u %u", name, &threads, &ms) != 3 || !threads ||
	    threads > THREADS_MAX)
		return -1;
	for (size_t i = 0; i < sizeof(works) / sizeof(*works); i++)
		if (!strcmp(name, works[i].name)) {
			fn = works[i].fn;
			return measure(threads, ms);
		}
	return -1;
}

int main(void)
{
	char line[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		double rate = serve(line);
		if (rate < 0) {
			fprintf(stderr, "scale: not understood: %s", line);
			return 2;
		}
		printf("%.0f\n", rate);
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several CPUs, seen by a program.
 *
 *	cpus every	a thread pinned to each says that it is there
 *	cpus fair N	N threads compute; what the least and the most busy got
 *	cpus placed N	N threads, and the CPUs that they found themselves on
 *	cpus pairs N	N threads exchange a byte with another, ROUNDS times
 *	cpus sleep	until somebody ends it
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 256
#define ROUNDS      20000

static pthread_t threads[THREADS_MAX];
static long result[THREADS_MAX];
static atomic_bool over;
static pthread_barrier_t all_there;

static void *pinned(void *arg)
{
	int cpu = (int)(long)arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		return NULL;
	result[cpu] = sched_getcpu() == cpu;
	pthread_barrier_wait(&all_there);
	result[cpu] &= sched_getcpu() == cpu;
	return NULL;
}

static void *busy(void *arg)
{
	struct timespec t;

	pthread_barrier_wait(&all_there);
	while (!over)
		;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	result[(long)arg] = t.tv_sec * 1000 + t.tv_nsec / 1000000;
	return NULL;
}

static void *placed(void *arg)
{
	int first = sched_getcpu();

	pthread_barrier_wait(&all_there);
	for (int i = 0; i < 100000; i++)
		if (sched_getcpu() != first)
			first = -1;
	result[(long)arg] = first;
	return NULL;
}

static void *back(void *arg)
{
	int *fd = arg;
	char c;

	while (read(fd[0], &c, 1) == 1 && write(fd[3], &c, 1) == 1)
		;
	return NULL;
}

static void *pair(void *arg)
{
	pthread_t other;
	int fd[4];
	char c = 0;

	if (pipe(fd) || pipe(fd + 2) || pthread_create(&other, NULL, back, fd))
		exit(1);
	pthread_barrier_wait(&all_there);
	for (long *n = &result[(long)arg]; *n < ROUNDS; ++*n)
		if (write(fd[1], &c, 1) != 1 || read(fd[2], &c, 1) != 1)
			exit(1);
	close(fd[1]);
	pthread_join(other, NULL);
	return NULL;
}

static void run(void *(*fn)(void *), long n, unsigned seconds)
{
	pthread_barrier_init(&all_there, NULL, (unsigned)n);
	for (long i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, fn, (void *)i)) {
			fprintf(stderr, "cpus: no thread %ld\n", i);
			exit(1);
		}
	sleep(seconds);
	over = true;
	for (long i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

static int every(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN), right = 0;

	run(pinned, n, 0);
	for (long i = 0; i < n; i++)
		right += result[i];
	printf("%ld of %ld\n", right, n);
	return right != n;
}

static int fair(long n)
{
	long least, most;

	run(busy, n, 3);
	least = most = result[0];
	for (long i = 1; i < n; i++) {
		least = result[i] < least ? result[i] : least;
		most = result[i] > most ? result[i] : most;
	}
	printf("%ld %ld\n", least, most);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[2]) : 1;

	if (n < 1 || n > THREADS_MAX)
		return 2;
	if (!strcmp(what, "every"))
		return every();
	if (!strcmp(what, "fair"))
		return fair(n);
	if (!strcmp(what, "placed")) {
		run(placed, n, 0);
		for (long i = 0; i < n; i++)
			printf("%ld\n", result[i]);
		return 0;
	}
	if (!strcmp(what, "pairs")) {
		run(pair, n, 0);
		printf("%d\n", ROUNDS);
		return 0;
	}
	puts("asleep");
	fflush(stdout);
	pause();
	return 0;
}

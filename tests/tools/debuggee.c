/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For debuggers: threads at places with names, an open file, and, with an
 * argument, a crash.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int pipe_ends[2];
static pthread_barrier_t ready;
static const int constant = 1;
volatile int progress[3];

static void *reader_thread(void *arg)
{
	char byte;

	(void)arg;
	pthread_barrier_wait(&ready);
	if (read(pipe_ends[0], &byte, 1) < 0)
		abort();
	return NULL;
}

static void *spinner_thread(void *arg)
{
	volatile uint64_t *count = arg;

	pthread_barrier_wait(&ready);
	for (;;)
		++*count;
	return NULL;
}

__attribute__((noinline)) static void crash_here(char *where)
{
	*(volatile char *)where = 1;
}

__attribute__((noinline)) static void everybody_runs(void)
{
	puts("ready");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static uint64_t count;
	pthread_t reader, spinner;

	if (pipe(pipe_ends) || open("/tmp/notes", O_CREAT | O_RDWR, 0600) < 0)
		return 1;
	pthread_barrier_init(&ready, NULL, 3);
	pthread_create(&reader, NULL, reader_thread, NULL);
	pthread_create(&spinner, NULL, spinner_thread, &count);
	pthread_barrier_wait(&ready);
	usleep(100000);
	everybody_runs();
	progress[0] = 7, progress[1] = 8, progress[2] = 9;
	if (argc > 1 && !strcmp(argv[1], "constant"))
		*(volatile int *)&constant = 2;
	if (argc > 1 && !strcmp(argv[1], "crash"))
		crash_here((char *)0x1234);
	if (argc > 1 && !strcmp(argv[1], "abort"))
		abort();
	return 0;
}

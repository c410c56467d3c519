/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For a profiler: a thread in much() three times as long as in little(), in
 * turns, and one in kernel calls.  Ends after SECONDS, its argument.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static volatile int over;
static volatile uint64_t sink;

__attribute__((noinline)) static void burn(uint64_t n)
{
	while (n--)
		sink += n;
	__asm__ volatile("");
}

__attribute__((noinline)) static void little(void)
{
	burn(100000);
	__asm__ volatile("");
}

__attribute__((noinline)) static void much(void)
{
	burn(300000);
	__asm__ volatile("");
}

static void *caller(void *arg)
{
	char zeros[256];
	int fd = open("/dev/zero", O_RDONLY);

	while (!over)
		if (read(fd, zeros, sizeof(zeros)) < 0)
			abort();
	return arg;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
	pthread_t thread;

	pthread_create(&thread, NULL, caller, NULL);
	while (time(NULL) < end) {
		little();
		much();
	}
	over = 1;
	pthread_join(thread, NULL);
	return 3;
}

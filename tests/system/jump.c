/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jump FILE: the wall clock jumps for years, both ways; what waits for it
 * notices, what counts other time does not.  Says which year it found.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define YEAR (365l * 86400)
#define CHECK(what)                                                            \
	do {                                                                   \
		if (!(what)) {                                                 \
			printf("line %d: %s, errno %d\n", __LINE__, #what,     \
			    errno);                                            \
			exit(1);                                               \
		}                                                              \
	} while (0)

static time_t monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void jump(long seconds)
{
	struct timespec t;
	time_t before = monotonic(), then;

	clock_gettime(CLOCK_REALTIME, &t);
	then = t.tv_sec += seconds;
	CHECK(clock_settime(CLOCK_REALTIME, &t) == 0);
	CHECK(time(NULL) >= then && time(NULL) < then + 1000);
	CHECK(monotonic() >= before && monotonic() < before + 1000);
}

/* Until an hour from now by the clock on the wall. */
static void *sleeper(void *arg)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += 3600;
	*(volatile int *)arg = 1;
	CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL) == 0);
	CHECK(time(NULL) >= t.tv_sec);
	return NULL;
}

/* Time-outs that are lengths, and one that is a moment long past. */
static void waits_end(void)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t never = PTHREAD_COND_INITIALIZER;
	struct timespec t;

	CHECK(poll(NULL, 0, 20) == 0);
	CHECK(usleep(20000) == 0);
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec -= 3600;
	pthread_mutex_lock(&lock);
	CHECK(pthread_cond_timedwait(&never, &lock, &t) == ETIMEDOUT);
	pthread_mutex_unlock(&lock);
}

static void file_works(const char *path)
{
	char text[5] = "";
	struct stat st;
	int fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0644);

	CHECK(fd >= 0 && write(fd, "good", 4) == 4);
	CHECK(pread(fd, text, 4, 0) == 4 && !strcmp(text, "good"));
	CHECK(close(fd) == 0 && stat(path, &st) == 0 && st.st_size == 4);
}

int main(int argc, char **argv)
{
	time_t now = time(NULL);
	volatile int asleep = 0;
	pthread_t thread;

	if (argc != 2)
		return 2;
	printf("%d\n", gmtime(&now)->tm_year + 1900);
	CHECK(!pthread_create(&thread, NULL, sleeper, (void *)&asleep));
	while (!asleep)
		usleep(1000);
	jump(7200);
	CHECK(!pthread_join(thread, NULL));
	waits_end();
	jump(10 * YEAR);
	file_works(argv[1]);
	waits_end();
	jump(-9 * YEAR);
	file_works(argv[1]);
	waits_end();
	printf("jumped\n");
	return 0;
}

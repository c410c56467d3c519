/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two shares, one of which will lose its server: threads that wait for it and
 * everybody who comes later get ENOTCONN; the other share goes on.
 * share_gone LOST KEPT: says "waiting" once its readers are under way.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READERS 4

static char lost[256], kept[256];

/* Look up names that nobody has asked for before, until that fails. */
static void *reader(void *arg)
{
	char name[512];
	struct stat st;

	for (int i = 0;; i++) {
		snprintf(name, sizeof(name), "%s/none-%ld-%d", lost,
		    (long)(intptr_t)arg, i);
		if (stat(name, &st) == 0 || errno != ENOENT)
			return (void *)(intptr_t)errno;
		usleep(1000);
	}
}

static int kept_works(void)
{
	char name[512], buf[8] = "";
	int fd;

	snprintf(name, sizeof(name), "%s/file", kept);
	fd = open(name, O_CREAT | O_RDWR | O_TRUNC, 0644);
	return fd >= 0 && write(fd, "kept", 4) == 4 &&
	       pread(fd, buf, 4, 0) == 4 && !memcmp(buf, "kept", 4) &&
	       close(fd) == 0;
}

int main(int argc, char **argv)
{
	pthread_t t[READERS];
	char name[512];
	void *result;

	if (argc != 3)
		return 2;
	strcpy(lost, argv[1]);
	strcpy(kept, argv[2]);
	for (long i = 0; i < READERS; i++)
		pthread_create(&t[i], NULL, reader, (void *)i);
	puts("waiting");
	fflush(stdout);
	for (int i = 0; i < READERS; i++) {
		pthread_join(t[i], &result);
		printf("reader: %s\n", strerror((int)(intptr_t)result));
	}
	snprintf(name, sizeof(name), "%s/new", lost);
	printf("open: %s\n",
	    open(name, O_CREAT | O_WRONLY, 0644) < 0 ? strerror(errno) : "?");
	printf("kept: %s\n", kept_works() ? "works" : strerror(errno));
	return 0;
}

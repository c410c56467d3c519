/* SPDX-License-Identifier: BSD-2-Clause */
/* flock: who gets it, who does not, who waits. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <unistd.h>
#include "tests/posix/check.h"

static int other;
static volatile int got;

static void *waiter(void *arg)
{
	(void)arg;
	CHECK(flock(other, LOCK_EX) == 0);
	got = 1;
	return NULL;
}

int main(int argc, char **argv)
{
	int fd, same;
	pthread_t t;

	CHECK(argc > 1 && chdir(argv[1]) == 0);
	fd = open("f", O_CREAT | O_RDWR, 0644);
	other = open("f", O_RDONLY);
	same = dup(fd);
	CHECK(fd >= 0 && other >= 0 && same >= 0);
	CHECK(flock(fd, LOCK_SH) == 0 && flock(other, LOCK_SH) == 0);
	CHECK_ERR(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK(flock(other, LOCK_UN) == 0);
	CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0);
	CHECK(flock(same, LOCK_EX | LOCK_NB) == 0); /* the same open file */
	CHECK_ERR(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	CHECK_ERR(flock(fd, 77), EINVAL);
	CHECK_ERR(flock(999, LOCK_SH), EBADF);
	CHECK(!pthread_create(&t, NULL, waiter, NULL));
	usleep(20000);
	CHECK(!got);
	CHECK(close(fd) == 0);
	CHECK(!got);
	CHECK(close(same) == 0); /* the last one lets go */
	CHECK(!pthread_join(t, NULL) && got);
	return 0;
}

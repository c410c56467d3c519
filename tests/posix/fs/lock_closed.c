/* SPDX-License-Identifier: BSD-2-Clause */
/* A record lock for which a thread waited while its descriptor was closed is
 * not left behind: EBADF, and others get it. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include "tests/posix/check.h"

static int fd;
static atomic_bool waits;

static void *waiter(void *arg)
{
	struct flock lk = {.l_type = F_WRLCK};

	waits = true;
	CHECK_ERR(fcntl(fd, F_SETLKW, &lk), EBADF);
	return arg;
}

int main(int argc, char **argv)
{
	struct flock lk = {.l_type = F_WRLCK};
	int other;
	pthread_t t;

	CHECK(argc > 1 && !chdir(argv[1]));
	fd = open("locked", O_CREAT | O_RDWR, 0600);
	other = open("locked", O_RDWR);
	CHECK(fd >= 0 && other >= 0);
	CHECK(!fcntl(other, F_OFD_SETLK, &lk));
	CHECK(!pthread_create(&t, NULL, waiter, NULL));
	while (!waits)
		usleep(1000);
	usleep(200000); /* until it is in the call */
	CHECK(!close(fd));
	lk.l_type = F_UNLCK;
	CHECK(!fcntl(other, F_OFD_SETLK, &lk));
	CHECK(!pthread_join(t, NULL));
	lk.l_type = F_WRLCK;
	CHECK(!fcntl(other, F_OFD_GETLK, &lk) && lk.l_type == F_UNLCK);
	return 0;
}

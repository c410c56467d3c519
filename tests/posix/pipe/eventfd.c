/* SPDX-License-Identifier: BSD-2-Clause */
/* eventfd: counter, semaphore, blocking at both ends. */
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "tests/posix/check.h"

static int fd;

static void *add_later(void *arg)
{
	usleep(10000);
	CHECK(!eventfd_write(fd, 5));
	return arg;
}

int main(void)
{
	uint64_t v = 0;
	pthread_t t;

	fd = eventfd(0, EFD_NONBLOCK);
	CHECK(fd >= 0);
	CHECK_ERR(read(fd, &v, 8), EAGAIN);
	CHECK_ERR(read(fd, &v, 4), EINVAL);
	CHECK(!eventfd_write(fd, 3) && !eventfd_write(fd, 4));
	CHECK(read(fd, &v, 8) == 8 && v == 7);
	v = UINT64_MAX;
	CHECK_ERR(write(fd, &v, 8), EINVAL);
	v = UINT64_MAX - 1;
	CHECK(write(fd, &v, 8) == 8);
	v = 1;
	CHECK_ERR(write(fd, &v, 8), EAGAIN);
	CHECK(!close(fd));
	fd = eventfd(2, EFD_SEMAPHORE);
	CHECK(read(fd, &v, 8) == 8 && v == 1 && read(fd, &v, 8) == 8 && v == 1);
	CHECK(!pthread_create(&t, NULL, add_later, NULL));
	CHECK(read(fd, &v, 8) == 8 && v == 1);
	CHECK(!pthread_join(t, NULL));
	return 0;
}

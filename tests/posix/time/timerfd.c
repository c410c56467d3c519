/* SPDX-License-Identifier: BSD-2-Clause */
/* timerfd: reading, polling, settings. */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define MSEC 1000000l

static void once(int clock)
{
	int fd = timerfd_create(clock, TFD_CLOEXEC | TFD_NONBLOCK);
	struct itimerspec its = {.it_value = {0, 3 * MSEC}}, left;
	struct pollfd p = {fd, POLLIN, 0};
	uint64_t n;

	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK_ERR(read(fd, &n, sizeof(n)), EAGAIN);
	CHECK(!timerfd_settime(fd, 0, &its, NULL));
	CHECK(poll(&p, 1, -1) == 1 && p.revents == POLLIN);
	CHECK_ERR(read(fd, &n, sizeof(n) - 1), EINVAL);
	CHECK(read(fd, &n, sizeof(n)) == sizeof(n) && n == 1);
	CHECK_ERR(read(fd, &n, sizeof(n)), EAGAIN);
	CHECK(!timerfd_gettime(fd, &left));
	CHECK(!left.it_value.tv_sec && !left.it_value.tv_nsec);
	CHECK_ERR(write(fd, &n, sizeof(n)), EINVAL);
	CHECK(!close(fd));
}

static void again(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec its = {{0, MSEC}, {0, MSEC}}, old;
	struct timespec wait = {0, 30 * MSEC};
	uint64_t n, sum = 0;

	CHECK(!timerfd_settime(fd, 0, &its, NULL));
	nanosleep(&wait, NULL);
	CHECK(read(fd, &n, sizeof(n)) == sizeof(n) && n >= 20);
	while (sum < 5) {
		CHECK(read(fd, &n, sizeof(n)) == sizeof(n) && n >= 1);
		sum += n;
	}
	its = (struct itimerspec){{0, 0}, {0, 0}};
	CHECK(!timerfd_settime(fd, 0, &its, &old));
	CHECK(old.it_interval.tv_nsec == MSEC);
	CHECK(old.it_value.tv_nsec <= MSEC);
	CHECK(!close(fd));
}

/* Each expiration is an edge. */
static void edges(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	int ep = epoll_create1(0);
	struct itimerspec its = {{0, 2 * MSEC}, {0, 2 * MSEC}};
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
	uint64_t n;

	CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	CHECK(!timerfd_settime(fd, 0, &its, NULL));
	for (int i = 0; i < 5; i++) {
		CHECK(epoll_wait(ep, &ev, 1, -1) == 1);
		CHECK(read(fd, &n, sizeof(n)) == sizeof(n) && n >= 1);
	}
	CHECK(!close(fd) && !close(ep));
}

/* One that runs out while poll looks at it is seen none the less. */
static void short_ones(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (int i = 0; i < 4000; i++) {
		struct itimerspec its = {.it_value = {0, 1 + i * 25}};
		CHECK(!timerfd_settime(fd, 0, &its, NULL));
		CHECK(poll(&p, 1, -1) == 1);
	}
	CHECK(!close(fd));
}

static void wrong(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, 0), p[2];
	struct itimerspec its = {.it_value = {1, 0}};
	uint64_t n;

	CHECK_ERR(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
	CHECK_ERR(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
	CHECK_ERR(timerfd_settime(fd, 64, &its, NULL), EINVAL);
	CHECK_ERR(timerfd_settime(-1, 0, &its, NULL), EBADF);
	CHECK(!pipe(p));
	CHECK_ERR(timerfd_settime(p[0], 0, &its, NULL), EINVAL);
	CHECK_ERR(timerfd_gettime(p[0], &its), EINVAL);
	its.it_value.tv_nsec = -1;
	CHECK_ERR(timerfd_settime(fd, 0, &its, NULL), EINVAL);
	/* Long past: due at once. */
	its = (struct itimerspec){.it_value = {1, 0}};
	CHECK(!timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
	CHECK(read(fd, &n, sizeof(n)) == sizeof(n) && n == 1);
	CHECK(lseek(fd, 5, SEEK_SET) == 0);
}

int main(void)
{
	once(CLOCK_REALTIME);
	once(CLOCK_MONOTONIC);
	once(CLOCK_BOOTTIME);
	again();
	edges();
	short_ones();
	wrong();
	return 0;
}

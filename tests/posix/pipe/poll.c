/* SPDX-License-Identifier: BSD-2-Clause */
/* poll, ppoll, select and pselect on pipes. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

static int p[2];

static void *write_later(void *arg)
{
	usleep(20000);
	CHECK(write(p[1], "x", 1) == 1);
	return arg;
}

static void selects(void)
{
	struct timeval tv = {0, 10000};
	struct timespec ts = {0, 0};
	fd_set r, w;
	pthread_t t;
	char c;

	FD_ZERO(&r);
	FD_SET(p[0], &r);
	CHECK(select(p[0] + 1, &r, NULL, NULL, &tv) == 0);
	CHECK(!FD_ISSET(p[0], &r));
	FD_ZERO(&w);
	FD_SET(p[1], &w);
	FD_SET(p[0], &r);
	CHECK(select(p[1] + 1, &r, &w, NULL, NULL) == 1);
	CHECK(FD_ISSET(p[1], &w) && !FD_ISSET(p[0], &r));
	CHECK(!pthread_create(&t, NULL, write_later, NULL));
	FD_SET(p[0], &r);
	CHECK(select(p[0] + 1, &r, NULL, NULL, NULL) == 1);
	CHECK(read(p[0], &c, 1) == 1 && !pthread_join(t, NULL));
	FD_SET(p[0], &r);
	CHECK(pselect(p[0] + 1, &r, NULL, NULL, &ts, NULL) == 0);
	FD_ZERO(&r);
	FD_SET(50, &r);
	CHECK_ERR(select(51, &r, NULL, NULL, &tv), EBADF);
}

int main(void)
{
	struct pollfd f[3];
	struct timespec zero = {0, 0};
	pthread_t t;
	char c;

	CHECK(!pipe(p));
	f[0] = (struct pollfd){.fd = p[0], .events = POLLIN};
	f[1] = (struct pollfd){.fd = p[1], .events = POLLOUT};
	f[2] = (struct pollfd){.fd = -1, .events = POLLIN};
	CHECK(poll(f, 1, 0) == 0 && f[0].revents == 0);
	CHECK(poll(f, 3, 0) == 1 && f[1].revents == POLLOUT);
	CHECK(poll(f, 1, 10) == 0);
	CHECK(poll(NULL, 0, 5) == 0);
	CHECK(ppoll(f, 1, &zero, NULL) == 0);
	CHECK(!pthread_create(&t, NULL, write_later, NULL));
	CHECK(poll(f, 1, -1) == 1 && f[0].revents == POLLIN);
	CHECK(read(p[0], &c, 1) == 1 && !pthread_join(t, NULL));
	f[2].fd = 1234;
	CHECK(poll(f + 2, 1, -1) == 1 && f[2].revents == POLLNVAL);
	selects();
	CHECK(!close(p[1]));
	CHECK(poll(f, 1, -1) == 1 && f[0].revents == POLLHUP);
	CHECK(!close(p[0]) && !pipe(p) && !close(p[0]));
	f[1].fd = p[1];
	CHECK(poll(f + 1, 1, -1) == 1 && f[1].revents & POLLERR);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* epoll: level, edge, one-shot, modify, remove by close, errors. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "tests/posix/check.h"

static int p[2];

static void *write_later(void *arg)
{
	usleep(20000);
	CHECK(write(p[1], "x", 1) == 1);
	return arg;
}

static int wait0(int ep, struct epoll_event *e)
{
	return epoll_wait(ep, e, 8, 0);
}

int main(void)
{
	struct epoll_event e = {EPOLLIN, {.u64 = 0x1122334455667788}}, got[8];
	int ep = epoll_create1(EPOLL_CLOEXEC), fd;
	pthread_t t;
	char buf[16];

	CHECK(ep >= 0 && !pipe(p));
	CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
	CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e), EEXIST);
	CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_MOD, p[1], &e), ENOENT);
	CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, 999, &e), EBADF);
	CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &e), EINVAL);
	CHECK_ERR(epoll_wait(ep, got, 0, 0), EINVAL);
	CHECK(wait0(ep, got) == 0 && epoll_wait(ep, got, 8, 5) == 0);
	CHECK(!pthread_create(&t, NULL, write_later, NULL));
	CHECK(epoll_wait(ep, got, 8, -1) == 1);
	CHECK(got[0].events == EPOLLIN && got[0].data.u64 == e.data.u64);
	CHECK(!pthread_join(t, NULL));
	/* Level: again and again until read. */
	CHECK(wait0(ep, got) == 1 && wait0(ep, got) == 1);
	CHECK(read(p[0], buf, 16) == 1 && wait0(ep, got) == 0);
	/* Edge: once for each arrival. */
	e.events = EPOLLIN | EPOLLET;
	CHECK(!epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e));
	CHECK(write(p[1], "a", 1) == 1);
	CHECK(wait0(ep, got) == 1 && wait0(ep, got) == 0);
	CHECK(write(p[1], "b", 1) == 1);
	CHECK(wait0(ep, got) == 1 && wait0(ep, got) == 0);
	CHECK(read(p[0], buf, 16) == 2 && wait0(ep, got) == 0);
	/* One-shot: off until modified, which reports what is there. */
	e.events = EPOLLIN | EPOLLONESHOT;
	CHECK(!epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e));
	CHECK(write(p[1], "c", 1) == 1);
	CHECK(wait0(ep, got) == 1 && wait0(ep, got) == 0);
	CHECK(write(p[1], "d", 1) == 1 && wait0(ep, got) == 0);
	CHECK(!epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &e));
	CHECK(wait0(ep, got) == 1);
	CHECK(!epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL));
	CHECK_ERR(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL), ENOENT);
	CHECK(wait0(ep, got) == 0);
	/* Several at once, an eventfd among them; closing takes one out. */
	fd = eventfd(3, EFD_NONBLOCK);
	e = (struct epoll_event){EPOLLIN, {.fd = fd}};
	CHECK(fd >= 0 && !epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	e = (struct epoll_event){EPOLLOUT, {.fd = p[1]}};
	CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, p[1], &e));
	CHECK(wait0(ep, got) == 2 && epoll_wait(ep, got, 1, 0) == 1);
	CHECK(!close(fd));
	CHECK(wait0(ep, got) == 1 && got[0].data.fd == p[1]);
	CHECK(!close(p[0]));
	CHECK(wait0(ep, got) == 1 && got[0].events & EPOLLERR);
	CHECK(!close(p[1]) && wait0(ep, got) == 0);
	CHECK(!close(ep));
	return 0;
}

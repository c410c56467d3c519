/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads wait on one epoll while others write, close and replace what is in
 * it: every token that goes in comes out once. */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include "tests/stress/stress.h"

#define PIPES   8
#define WAITERS 3
#define TOKENS  200

static int ep, end[PIPES][2], quit;
static atomic_long received;

static void *waiter(void *arg)
{
	struct epoll_event e[4];
	char buf[16];

	for (;;) {
		int n = epoll_wait(ep, e, 4, -1);
		CHECK(n > 0 || errno == EINTR);
		for (int i = 0; i < n; i++) {
			ssize_t r;
			if (e[i].data.u32 == PIPES)
				return arg;
			while ((r = read(end[e[i].data.u32][0], buf,
				    sizeof(buf))) > 0)
				received += r;
			CHECK(r == 0 || errno == EAGAIN);
		}
	}
}

static void *writer(void *arg)
{
	uint64_t r = stress_random_init((unsigned long)arg + stress_rounds);

	for (int i = 0; i < TOKENS; i++)
		while (write(end[stress_random(&r) % PIPES][1], "x", 1) != 1)
			CHECK(errno == EAGAIN);
	return NULL;
}

/* Files come and go in the same set; nobody cares for them. */
static void *churn(void *arg)
{
	uint64_t r = stress_random_init((unsigned long)arg + 77);
	int own = epoll_create1(0), fd[2];

	CHECK(own >= 0);
	for (int i = 0; i < TOKENS; i++) {
		struct epoll_event e = {.events = EPOLLIN | EPOLLET};
		e.data.u32 = 0; /* a spurious look at pipe 0 */
		CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd));
		CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &e));
		CHECK(!epoll_ctl(own, EPOLL_CTL_ADD, fd[0], &e));
		if (stress_random(&r) & 1)
			CHECK(write(fd[1], "y", 1) == 1);
		e.events = EPOLLOUT | EPOLLONESHOT;
		if (stress_random(&r) & 1)
			CHECK(!epoll_ctl(ep, EPOLL_CTL_MOD, fd[0], &e));
		if (stress_random(&r) & 1)
			CHECK(!epoll_ctl(ep, EPOLL_CTL_DEL, fd[0], NULL));
		CHECK(!close(fd[stress_random(&r) & 1 ? 0 : 1]) || 1);
		(void)close(fd[0]);
		(void)close(fd[1]);
	}
	CHECK(!close(own));
	return NULL;
}

static void round_(unsigned long n)
{
	pthread_t w[WAITERS], s[2], c;
	struct epoll_event e = {.events = EPOLLIN};

	(void)n;
	received = 0;
	ep = epoll_create1(0);
	quit = eventfd(0, 0);
	CHECK(ep >= 0 && quit >= 0);
	for (unsigned i = 0; i < PIPES; i++) {
		CHECK(!pipe2(end[i], O_NONBLOCK));
		e.events = EPOLLIN | (i & 1 ? EPOLLET : 0);
		e.data.u32 = i;
		CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, end[i][0], &e));
	}
	e.events = EPOLLIN;
	e.data.u32 = PIPES;
	CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, quit, &e));
	for (long i = 0; i < WAITERS; i++)
		w[i] = stress_thread(waiter, i);
	for (long i = 0; i < 2; i++)
		s[i] = stress_thread(writer, i);
	c = stress_thread(churn, 0);
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_join(s[i], NULL));
	CHECK(!pthread_join(c, NULL));
	while (received < 2 * TOKENS)
		usleep(1000);
	CHECK(eventfd_write(quit, 1) == 0);
	for (int i = 0; i < WAITERS; i++)
		CHECK(!pthread_join(w[i], NULL));
	CHECK(received == 2 * TOKENS);
	for (int i = 0; i < PIPES; i++)
		CHECK(!close(end[i][0]) && !close(end[i][1]));
	CHECK(!close(quit) && !close(ep));
}

int main(int argc, char **argv)
{
	return stress_main(argc, argv, round_);
}

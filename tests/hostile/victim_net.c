/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The victim's sockets: servers that send back what they hear, each
 * connection with a thread and buffers between canaries; and a client that
 * connects to where it may not, over and over.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ops.h"

struct work net = {.root = "net"};
unsigned long net_accepted, net_connects;

static void echo(int fd, struct area *a)
{
	size_t n = 1 + (size_t)random() % 9000;
	unsigned char *p = area_lend(a, n);
	ssize_t got;

	while ((got = read(fd, p, n)) > 0) {
		if ((size_t)got > n)
			work_wrong(&net, "more than asked for", got);
		for (ssize_t at = 0, put; at < got; at += put) {
			put = write(fd, p + at, (size_t)(got - at));
			if (put <= 0)
				return;
			if (put > got - at)
				work_wrong(&net, "more than given", put);
		}
		if (!area_whole(a, false))
			work_wrong(&net, "a canary", 0);
		n = 1 + (size_t)random() % 9000;
		p = area_lend(a, n);
	}
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	struct area a;

	area_init(&a);
	echo(fd, &a);
	if (!area_whole(&a, true))
		work_wrong(&net, "a canary", 0);
	area_free(&a);
	close(fd);
	return NULL;
}

static void *listen_at(void *arg)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)(intptr_t)arg)};
	int s = socket(AF_INET, SOCK_STREAM, 0), c;
	pthread_t thread;

	if (bind(s, (struct sockaddr *)&a, sizeof(a)) || listen(s, 64)) {
		work_wrong(&net, "cannot listen", (long)(intptr_t)arg);
		return NULL;
	}
	for (;;) {
		c = accept(s, NULL, NULL);
		if (c < 0)
			continue;
		__atomic_add_fetch(&net_accepted, 1, __ATOMIC_RELAXED);
		if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)c))
			close(c);
		else
			pthread_detach(thread);
	}
}

/* What is there is nobody's: the launcher refuses, unless it lies. */
static void *connect_out(void *arg)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons(80),
	    .sin_addr.s_addr = htonl(0x0a090807)};

	(void)arg;
	for (;;) {
		int s = socket(AF_INET, SOCK_STREAM, 0);

		(void)!connect(s, (struct sockaddr *)&a, sizeof(a));
		close(s);
		net_connects++;
		usleep(2000);
	}
	return NULL;
}

void net_start(long port)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, port ? listen_at : connect_out,
		(void *)(intptr_t)port))
		abort();
}

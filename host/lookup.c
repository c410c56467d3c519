/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookups in threads; see lookup.h.  A thread touches only its own struct
 * lookup, and hands it back through a pipe.
 */
#include "host/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/loop.h"
#include "host/util.h"

#define LOOKUPS_MAX 32

static int back[2] = {-1, -1};
static unsigned underway;

static void find_addresses(struct lookup *l)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list, *ai;

	l->error = getaddrinfo(l->name, NULL, &hints, &list);
	if (l->error)
		return;
	for (ai = list; ai && l->found.count < PIN_MAX; ai = ai->ai_next) {
		struct in6_addr *to = &l->found.addr[l->found.count];

		if (ai->ai_family == AF_INET)
			*to = addr_map4(
			    &((struct sockaddr_in *)ai->ai_addr)->sin_addr);
		else if (ai->ai_family == AF_INET6)
			*to = ((struct sockaddr_in6 *)ai->ai_addr)->sin6_addr;
		else
			continue;
		l->found.count++;
	}
	freeaddrinfo(list);
}

static void find_name(struct lookup *l)
{
	struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6, .sin6_addr = l->addr};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	bool four = IN6_IS_ADDR_V4MAPPED(&l->addr);

	memcpy(&v4.sin_addr, l->addr.s6_addr + 12, 4);
	l->error = getnameinfo(four ? (void *)&v4 : (void *)&v6,
	    four ? sizeof(v4) : sizeof(v6), l->name, sizeof(l->name), NULL, 0,
	    NI_NAMEREQD);
}

static void *lookup_run(void *arg)
{
	struct lookup *l = arg;

	if (l->reverse)
		find_name(l);
	else
		find_addresses(l);
	if (write(back[1], &l, sizeof(l)) != sizeof(l))
		abort(); /* 32 pointers always fit */
	return NULL;
}

static void lookup_ready(struct loop_fd *io, uint32_t events)
{
	struct lookup *l;

	(void)events;
	while (read(io->fd, &l, sizeof(l)) == sizeof(l)) {
		underway--;
		if (l->done)
			l->done(l, l->arg);
		free(l);
	}
}

static struct loop_fd io = {.fd = -1, .ready = lookup_ready};

static int lookup_open(void)
{
	if (back[0] >= 0)
		return 0;
	if (pipe2(back, O_CLOEXEC))
		return -errno;
	fcntl(back[0], F_SETFL, O_NONBLOCK);
	io.fd = back[0];
	return loop_add(&io, EPOLLIN);
}

struct lookup *lookup_start(const char *name, const struct in6_addr *addr,
    void (*done)(struct lookup *l, void *arg), void *arg)
{
	struct lookup *l;
	pthread_t thread;

	if (underway == LOOKUPS_MAX || lookup_open())
		return NULL;
	l = must_alloc(sizeof(*l));
	if (name)
		snprintf(l->name, sizeof(l->name), "%s", name);
	else
		l->addr = *addr;
	l->reverse = !name;
	l->done = done;
	l->arg = arg;
	if (pthread_create(&thread, NULL, lookup_run, l)) {
		free(l);
		return NULL;
	}
	pthread_detach(thread);
	underway++;
	return l;
}

void lookup_cancel(struct lookup *l)
{
	l->done = NULL;
}

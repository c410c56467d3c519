/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop: epoll, level-triggered, one call per turn for any number
 * of connections.  Time is read once per turn.
 *
 * When there are no more descriptors or memory for another client, the
 * longest idle one has to go; if all are busy, new ones wait in the backlog.
 */
#include "apps/webserver/worker.h"
#include "apps/webserver/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS    64 /* per turn */
#define ACCEPTS   64 /* likewise */
#define LINGER_MS 2000
#define RETRY_MS  1000 /* to accept again */

static void read_clock(struct worker *w)
{
	struct timespec ts = {0};

	clock_gettime(CLOCK_MONOTONIC, &ts);
	w->now = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	if (w->now < w->time_over)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	w->time = ts.tv_sec;
	w->time_over = w->now + 1000 - ts.tv_nsec / 1000000;
}

/* EPOLLEXCLUSIVE spares the other workers' waking up for nothing. */
void worker_accept_from(struct worker *w, bool accept)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = w};
	int fd = w->config->listener;

	if (accept == w->accepting)
		return;
	w->accepting = accept;
	if (!accept) {
		epoll_ctl(w->epoll, EPOLL_CTL_DEL, fd, NULL);
		return;
	}
	if (w->config->workers > 1) {
		ev.events |= EPOLLEXCLUSIVE;
		if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &ev) == 0)
			return;
		ev.events = EPOLLIN;
	}
	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		w->accepting = false;
}

/* Closes the longest idle connection; if there is none, stops accepting. */
static bool make_room(struct worker *w)
{
	struct conn *c = w->timer[TIMER_IDLE].first;

	if (!c) {
		worker_accept_from(w, false);
		return false;
	}
	conn_close(w, c);
	return true;
}

static void accept_clients(struct worker *w)
{
	for (int i = 0; i < ACCEPTS; i++) {
		union address peer = {0};
		socklen_t len = sizeof(peer);
		int fd;

		bool full = w->conns >= w->config->connections;

		if (full && !w->timer[TIMER_IDLE].first) {
			worker_accept_from(w, false);
			return;
		}
		fd = accept4(w->config->listener, &peer.any, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			if (full) /* now that someone is here to need it */
				make_room(w);
			conn_open(w, fd, &peer);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		if (errno == EAGAIN || !make_room(w))
			return;
	}
}

static int64_t expire(struct worker *w)
{
	int64_t next = INT64_MAX;

	for (int i = 0; i < TIMERS; i++) {
		struct conn *c;

		while ((c = w->timer[i].first) && c->deadline <= w->now)
			conn_expire(w, c);
		if (c && c->deadline < next)
			next = c->deadline;
	}
	return next;
}

/* Does what is due, and returns how long the loop may sleep, in ms. */
static int64_t housekeeping(struct worker *w)
{
	int64_t next = expire(w);

	if (w->log.since && w->log.since + LOG_DELAY_MS <= w->now)
		log_flush(&w->log);
	if (w->log.since && w->log.since + LOG_DELAY_MS < next)
		next = w->log.since + LOG_DELAY_MS;
	if (!w->accepting && !w->stopping && next > w->now + RETRY_MS)
		next = w->now + RETRY_MS;
	return next == INT64_MAX ? -1 : next - w->now;
}

static void free_dead(struct worker *w)
{
	while (w->dead) {
		struct conn *c = w->dead;

		w->dead = c->next;
		free(c);
	}
}

/* Who is in the middle of a request may finish it; nobody else. */
static void stop(struct worker *w)
{
	struct conn *c;

	worker_accept_from(w, false);
	w->stopping = true;
	epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->config->stop_fd, NULL);
	while ((c = w->timer[TIMER_IDLE].first))
		conn_close(w, c);
	while ((c = w->timer[TIMER_LINGER].first))
		conn_close(w, c);
	for (c = w->timer[TIMER_REQUEST].first; c;) {
		struct conn *next = c->next;

		if (!c->saved && !c->head)
			conn_close(w, c);
		c = next;
	}
}

static void dispatch(struct worker *w, const struct epoll_event *ev)
{
	if (ev->data.ptr == w)
		accept_clients(w);
	else if (ev->data.ptr == NULL)
		stop(w);
	else
		conn_event(w, ev->data.ptr);
}

static int loop(struct worker *w)
{
	struct epoll_event events[EVENTS];

	while (!w->stopping || w->conns) {
		int64_t ms = housekeeping(w);
		int n;

		free_dead(w); /* no event can name them any more */
		if (ms < 0 && w->stopping && !w->conns)
			break;
		n = epoll_wait(w->epoll, events, EVENTS,
		    ms > INT32_MAX ? INT32_MAX : (int)ms);
		if (n < 0 && errno != EINTR)
			return -errno;
		read_clock(w);
		for (int i = 0; i < n; i++)
			dispatch(w, &events[i]);
		if (!w->accepting && !w->stopping && !n)
			worker_accept_from(w, true);
	}
	return 0;
}

static int worker_init(struct worker *w, const struct config *config)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
	int r;

	memset(w, 0, offsetof(struct worker, path));
	w->config = config;
	w->timer[TIMER_IDLE].ms = config->idle_s * INT64_C(1000);
	w->timer[TIMER_REQUEST].ms = config->request_s * INT64_C(1000);
	w->timer[TIMER_SEND].ms = config->send_s * INT64_C(1000);
	w->timer[TIMER_LINGER].ms = LINGER_MS;
	cache_init(&w->cache, &config->site, config->cache_bytes);
	read_clock(w);
	r = log_open(&w->log, config->log_fd);
	if (r == 0 && config->log_fd >= 0) {
		w->entry = malloc(sizeof(*w->entry));
		r = w->entry ? 0 : -ENOMEM;
	}
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0)
		return -errno;
	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, config->stop_fd, &ev) < 0)
		return -errno;
	worker_accept_from(w, true);
	return r;
}

int worker_run(struct worker *w, const struct config *config)
{
	int r = worker_init(w, config);

	if (r == 0)
		r = loop(w);
	free_dead(w);
	cache_destroy(&w->cache);
	log_close(&w->log);
	free(w->entry);
	if (w->epoll >= 0)
		close(w->epoll);
	return r;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One worker: an event loop with all that it owns.  Workers share nothing
 * but the listening socket and the configuration, which nobody changes.
 */
#ifndef TORIL_APPS_WEBSERVER_WORKER_H
#define TORIL_APPS_WEBSERVER_WORKER_H

#include "apps/webserver/cache.h"
#include "apps/webserver/date.h"
#include "apps/webserver/http_parser.h"
#include "apps/webserver/log.h"
#include "apps/webserver/reply.h"
#include "apps/webserver/site.h"

#include <limits.h>

#define IN_SIZE    (16 * 1024)  /* longest request head: 431 beyond */
#define OUT_SIZE   (16 * 1024)  /* longest reply header */
#define DATE_BEGIN "\r\nDate: " /* ends the status line, too */
#define DATE_END   "\r\n"
#define PATH_ROOM  16          /* for "index.html" and ".gz" */
#define BODY_MAX   (64 * 1024) /* longest request body: 413 beyond */

struct conn;

struct config {
	struct site site;
	bool listing;
	int listener;
	int stop_fd; /* readable once the server shall stop */
	int log_fd;  /* or -1 */
	unsigned workers;
	unsigned connections; /* at most, per worker */
	unsigned request_s;   /* for a request to arrive in full */
	unsigned idle_s;      /* between requests */
	unsigned send_s;      /* without progress of a reply */
	size_t cache_bytes;   /* per worker */
};

/* Each list has one time-out, so its order is the order of deadlines. */
enum timer { TIMER_IDLE, TIMER_REQUEST, TIMER_SEND, TIMER_LINGER, TIMERS };

struct timer_list {
	struct conn *first, *last;
	int64_t ms;
};

struct worker {
	const struct config *config;
	int epoll;
	int64_t now;       /* ms, monotonic; as of this turn of the loop */
	time_t time;       /* wall clock, likewise */
	int64_t time_over; /* when that second is over */
	unsigned conns;
	bool accepting, stopping;
	struct timer_list timer[TIMERS];
	struct conn *dead; /* freed at the end of the turn */
	struct cache cache;
	struct log log;
	struct log_entry *entry; /* NULL without a log */

	/* The request at hand and its reply; nothing here outlives the
	 * handling of one request. */
	struct http_head head;
	struct reply reply;
	struct text text; /* the reply's header and more, in `out` */
	time_t date_time; /* what `date` says */
	char date[sizeof(DATE_BEGIN) + DATE_HTTP_LEN + sizeof(DATE_END) - 2];
	char path[PATH_MAX + PATH_ROOM];
	char in[IN_SIZE];
	char out[OUT_SIZE];
};

/* Runs until the configuration's stop_fd is readable; 0 or -errno. */
int worker_run(struct worker *worker, const struct config *config);

/* Adds or removes the listening socket. */
void worker_accept_from(struct worker *worker, bool accept);

#endif

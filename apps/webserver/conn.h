/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections.  An idle one is this struct and nothing else: requests are
 * read into the worker's buffer, and only what can't be finished at once is
 * copied to memory of the connection's own.
 */
#ifndef TORIL_APPS_WEBSERVER_CONN_H
#define TORIL_APPS_WEBSERVER_CONN_H

#include "apps/webserver/worker.h"

struct pending; /* a reply that the socket did not take at once */

struct conn {
	int fd;
	enum { CONN_HEAD, CONN_BODY, CONN_SEND, CONN_LINGER, CONN_DEAD } state;
	uint32_t want; /* the epoll events asked for */
	bool linger;   /* the client may still be sending when we close */
	enum timer timer;
	int64_t deadline; /* ms */
	struct conn *next, *prev;
	size_t scanned; /* of the head, by http_head_find */
	char *saved;    /* input not yet used */
	size_t saved_len;
	char *head; /* of a request whose body is still coming */
	size_t head_len;
	struct http_body body;
	struct pending *pending;
	union address peer;
};

/* Takes over `fd`; closes it if there is no memory. */
void conn_open(struct worker *w, int fd, const union address *peer);
void conn_close(struct worker *w, struct conn *c);

/* The socket is readable or writable, as wanted, or in error. */
void conn_event(struct worker *w, struct conn *c);

/* Its deadline has passed. */
void conn_expire(struct worker *w, struct conn *c);

#endif

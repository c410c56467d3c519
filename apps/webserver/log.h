/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The access log, Combined format: address, time, request line, status,
 * bytes of body, referrer, user agent.  Lines are collected and written
 * whole, when the buffer is full or a second has passed.
 */
#ifndef TORIL_APPS_WEBSERVER_LOG_H
#define TORIL_APPS_WEBSERVER_LOG_H

#include "apps/webserver/text.h"

#include <sys/socket.h>
#include <netinet/in.h>
#include <time.h>

#define LOG_LINE_MAX 4096
#define LOG_DELAY_MS 1000

struct http_head;

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct log {
	int fd;        /* -1: none */
	int64_t since; /* ms: when the oldest line came; 0 if empty */
	struct text text;
};

/* What is known of a line before the reply is through. */
struct log_entry {
	size_t front; /* bytes before the count; the rest follows it */
	size_t len;
	char text[LOG_LINE_MAX];
};

int log_open(struct log *log, int fd);
void log_close(struct log *log);
void log_flush(struct log *log);

/* `entry` may be cut off at front + rest = len bytes and be copied so. */
void log_prepare(struct log_entry *entry, const union address *peer,
    const struct http_head *head, int status, time_t now);
void log_write(struct log *log, const struct log_entry *entry, uint64_t bytes,
    int64_t now);

void address_text(struct text *t, const union address *address);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/1 request heads and bodies, RFC 9112.  Pure functions of bytes: no
 * I/O, no allocation; the slices point into the caller's buffer.
 *
 * The parser is strict wherever leniency would let two parties disagree on
 * where a request ends (RFC 9112, 11.2): every line ends in CRLF, no folding,
 * no space before a colon, one Content-Length at most and never together
 * with Transfer-Encoding.
 */
#ifndef TORIL_APPS_WEBSERVER_HTTP_PARSER_H
#define TORIL_APPS_WEBSERVER_HTTP_PARSER_H

#include "apps/webserver/text.h"

#include <sys/types.h>

#define HTTP_TARGET_MAX 8000 /* longer: 414 */
#define HTTP_FIELDS_MAX 100  /* more: 431 */

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_NOT_ALLOWED, /* one that exists, but not here: 405 */
	HTTP_UNKNOWN,     /* 501 */
};

/* The header fields that mean something to this server. */
enum http_field {
	FIELD_ACCEPT_ENCODING,
	FIELD_CONNECTION,
	FIELD_CONTENT_LENGTH,
	FIELD_EXPECT,
	FIELD_HOST,
	FIELD_IF_MATCH,
	FIELD_IF_MODIFIED_SINCE,
	FIELD_IF_NONE_MATCH,
	FIELD_IF_RANGE,
	FIELD_IF_UNMODIFIED_SINCE,
	FIELD_RANGE,
	FIELD_REFERER,
	FIELD_TRANSFER_ENCODING,
	FIELD_USER_AGENT,
	HTTP_FIELDS
};

struct http_head {
	struct str line; /* the request line, for the log */
	struct str target;
	struct str field[HTTP_FIELDS]; /* the first of each name; .at is NULL
					  where there was none */
	size_t length;                 /* with the empty line; 0: refused */
	uint64_t content_length;       /* 0 without the field */
	enum http_method method;
	unsigned minor; /* of the version: HTTP/1.minor */
	bool keep_alive;
	bool chunked;
};

/*
 * Looks for the end of a head, the first empty line.  `*scanned` says how
 * much earlier calls have looked at; it starts at 0.  Returns the head's
 * length with its empty line, or 0 if it is not complete yet.
 */
size_t http_head_find(const char *buf, size_t len, size_t *scanned);

/*
 * Parses a head that http_head_find measured, or one that has at least one
 * empty line somewhere: the head ends with the first.  Returns 0, or the status
 * that refuses it: 400, 414, 431, 501 (transfer coding) or 505.  `head->line`
 * is valid in any case.
 */
int http_head_parse(const char *buf, size_t len, struct http_head *head);

/* A body, to be skipped. */
struct http_body {
	uint64_t left;  /* bytes until the end of the body or chunk */
	uint64_t limit; /* bytes that it may still grow */
	unsigned line;  /* bytes in the current line */
	enum {
		BODY_LENGTH,
		BODY_SIZE,
		BODY_EXTENSION,
		BODY_SIZE_LF,
		BODY_CHUNK,
		BODY_CHUNK_CR,
		BODY_CHUNK_LF,
		BODY_TRAILER,
		BODY_TRAILER_LF,
		BODY_DONE
	} state;
};

/* Returns 0, or 413 if the head already promises more than `limit`. */
int http_body_start(
    struct http_body *body, const struct http_head *head, uint64_t limit);

/*
 * Takes bytes until the body ends (state BODY_DONE).  Returns the number
 * taken, or -400 or -413.
 */
ssize_t http_body_feed(struct http_body *body, const char *buf, size_t len);

#endif

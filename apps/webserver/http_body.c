/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Request bodies, RFC 9112 sections 6 and 7.  A static server has no use for
 * them, but has to know where they end.  One byte at a time is fast enough
 * for what is never sent in earnest; only runs of data are skipped whole.
 */
#include "apps/webserver/http_parser.h"

#define LINE_MAX_BYTES    1024u /* a chunk's size line, or a trailer line */
#define TRAILER_MAX_BYTES 8192u

int http_body_start(
    struct http_body *body, const struct http_head *head, uint64_t limit)
{
	*body = (struct http_body){.limit = limit};
	if (head->chunked) {
		body->state = BODY_SIZE;
		return 0;
	}
	if (head->content_length > limit)
		return 413;
	body->left = head->content_length;
	body->state = body->left ? BODY_LENGTH : BODY_DONE;
	return 0;
}

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int expect(struct http_body *body, char c, char want, int next)
{
	if (c != want)
		return -400;
	body->state = next;
	return 0;
}

/* The size is known: is it the last chunk, too much, or just a chunk? */
static int chunk_begin(struct http_body *body, char c)
{
	if (c != '\n')
		return -400;
	body->line = 0;
	if (!body->left) {
		body->state = BODY_TRAILER;
		body->limit = TRAILER_MAX_BYTES;
		return 0;
	}
	if (body->left > body->limit)
		return -413;
	body->limit -= body->left;
	body->state = BODY_CHUNK;
	return 0;
}

static int feed_size(struct http_body *body, char c)
{
	int digit = hex_digit(c);

	if (digit >= 0) {
		if (body->left >> 56)
			return -413;
		body->left = body->left * 16 + digit;
		body->line++;
		return body->line > 64 ? -400 : 0;
	}
	if (!body->line)
		return -400;
	if (c == '\r')
		body->state = BODY_SIZE_LF;
	else if (c == ';')
		body->state = BODY_EXTENSION;
	else
		return -400;
	return 0;
}

static int feed_extension(struct http_body *body, char c)
{
	if (c == '\n' || ++body->line > LINE_MAX_BYTES)
		return -400;
	if (c == '\r')
		body->state = BODY_SIZE_LF;
	return 0;
}

/* Trailer fields are skipped up to the empty line, unread. */
static int feed_trailer(struct http_body *body, char c)
{
	if (!body->limit--)
		return -413;
	if (c == '\r') {
		body->state = BODY_TRAILER_LF;
		return 0;
	}
	if (c == '\n' || ++body->line > LINE_MAX_BYTES)
		return -400;
	return 0;
}

static int feed_byte(struct http_body *body, char c)
{
	switch (body->state) {
	case BODY_SIZE:
		return feed_size(body, c);
	case BODY_EXTENSION:
		return feed_extension(body, c);
	case BODY_SIZE_LF:
		return chunk_begin(body, c);
	case BODY_CHUNK_CR:
		return expect(body, c, '\r', BODY_CHUNK_LF);
	case BODY_CHUNK_LF:
		return expect(body, c, '\n', BODY_SIZE);
	case BODY_TRAILER:
		return feed_trailer(body, c);
	default: /* BODY_TRAILER_LF */
		if (expect(body, c, '\n', BODY_DONE) < 0)
			return -400;
		if (body->line)
			body->state = BODY_TRAILER;
		body->line = 0;
		return 0;
	}
}

ssize_t http_body_feed(struct http_body *body, const char *buf, size_t len)
{
	size_t i = 0;

	while (i < len && body->state != BODY_DONE) {
		int error;

		if (body->state == BODY_LENGTH || body->state == BODY_CHUNK) {
			size_t n = len - i;

			if (n > body->left)
				n = body->left;
			i += n;
			body->left -= n;
			if (!body->left)
				body->state = body->state == BODY_LENGTH
						  ? BODY_DONE
						  : BODY_CHUNK_CR;
			continue;
		}
		error = feed_byte(body, buf[i++]);
		if (error)
			return error;
	}
	return (ssize_t)i;
}

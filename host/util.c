/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages, memory that cannot run out quietly, buffers and I/O vectors.
 */
#include "host/util.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int verbose, log_time;
void (*stderr_hide)(void);

/* "2026-11-22T18:46:30.123Z error ", of 32 bytes; for
 * UTC no file is opened any more, which a confined launcher could not do. */
static void stamp(char *text, const char *level)
{
	struct timespec now;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	len = strftime(text, 24, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(
	    text + len, 32 - len, ".%03ldZ %s ", now.tv_nsec / 1000000, level);
}

static void say(const char *level, const char *fmt, va_list ap)
{
	char line[2048] = "";
	size_t len;

	if (log_time)
		stamp(line, level);
	len = strlen(line);
	len += (size_t)snprintf(line + len, sizeof(line) - len, "toril-run: ");

	vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	len = strlen(line);
	line[len++] = '\n';
	if (stderr_hide)
		stderr_hide();
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* nobody is left to tell */
}

void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("error", fmt, ap);
	va_end(ap);
}

void remark(const char *fmt, ...)
{
	va_list ap;

	if (!verbose)
		return;
	va_start(ap, fmt);
	say("info", fmt, ap);
	va_end(ap);
}

void *must_alloc(size_t size)
{
	return memset(must_grow(NULL, size), 0, size);
}

void *must_grow(void *ptr, size_t size)
{
	ptr = realloc(ptr, size ? size : 1);
	if (!ptr) {
		complain("out of memory");
		exit(STATUS_FAILED);
	}
	return ptr;
}

char *must_print(const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0) {
		complain("out of memory");
		exit(STATUS_FAILED);
	}
	va_end(ap);
	return text;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	if (b->start && b->room - b->end < len) {
		memmove(b->data, buf_at(b), buf_len(b));
		b->end -= b->start;
		b->start = 0;
	}
	if (b->room - b->end < len) {
		size_t room = b->room ? b->room : 1024;

		while (room - b->end < len)
			room *= 2;
		b->data = must_grow(b->data, room);
		b->room = room;
	}
	if (len)
		memcpy(b->data + b->end, data, len);
	b->end += len;
}

void buf_take(struct buf *b, size_t len)
{
	assert(len <= buf_len(b));
	b->start += len;
	if (b->start == b->end)
		b->start = b->end = 0;
}

void buf_drop(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

int iov_slice(
    struct iovec *to, const struct iovec *iov, int n, size_t skip, size_t len)
{
	int used = 0;

	for (int i = 0; i < n && len; i++) {
		size_t part;

		if (skip >= iov[i].iov_len) {
			skip -= iov[i].iov_len;
			continue;
		}
		part = MIN(iov[i].iov_len - skip, len);
		to[used].iov_base = (char *)iov[i].iov_base + skip;
		to[used++].iov_len = part;
		skip = 0;
		len -= part;
	}
	return used;
}

static size_t iov_copy(const struct iovec *iov, int n, size_t skip, void *flat,
    size_t len, int into)
{
	size_t done = 0;

	for (int i = 0; i < n && done < len; i++) {
		size_t part;
		char *at;

		if (skip >= iov[i].iov_len) {
			skip -= iov[i].iov_len;
			continue;
		}
		part = MIN(iov[i].iov_len - skip, len - done);
		at = (char *)iov[i].iov_base + skip;
		if (into)
			memcpy(at, (char *)flat + done, part);
		else
			memcpy((char *)flat + done, at, part);
		skip = 0;
		done += part;
	}
	return done;
}

size_t iov_read(
    const struct iovec *iov, int n, size_t skip, void *to, size_t len)
{
	return iov_copy(iov, n, skip, to, len, 0);
}

size_t iov_write(
    const struct iovec *iov, int n, size_t skip, const void *from, size_t len)
{
	return iov_copy(iov, n, skip, (void *)from, len, 1);
}

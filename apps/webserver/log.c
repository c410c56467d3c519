/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The access log; see log.h.  What a client sent is escaped, so that it can
 * neither forge a line nor confuse a terminal.
 */
#include "apps/webserver/log.h"
#include "apps/webserver/date.h"
#include "apps/webserver/http_parser.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE 8192
#define QUOTED_MAX  1200 /* bytes of one field in the log */

int log_open(struct log *log, int fd)
{
	memset(log, 0, sizeof(*log));
	log->fd = fd;
	if (fd < 0)
		return 0;
	log->text.at = malloc(BUFFER_SIZE);
	log->text.cap = BUFFER_SIZE;
	return log->text.at ? 0 : -ENOMEM;
}

void log_close(struct log *log)
{
	log_flush(log);
	free(log->text.at);
}

void log_flush(struct log *log)
{
	size_t at = 0;

	while (at < log->text.len) {
		ssize_t n =
		    write(log->fd, log->text.at + at, log->text.len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break; /* a full disk must not stop the server */
		at += n;
	}
	log->text.len = 0;
	log->since = 0;
}

static void add_ipv4(struct text *t, const unsigned char *a)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			text_char(t, '.');
		text_number(t, a[i]);
	}
}

static unsigned group_of(const unsigned char *a, int i)
{
	return a[2 * i] << 8 | a[2 * i + 1];
}

/* RFC 5952: the longest run of two or more zero groups becomes "::". */
static void add_ipv6(struct text *t, const unsigned char *a)
{
	int start = -1, longest = 1;

	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && !group_of(a, i + n))
			n++;
		if (n > longest) {
			longest = n;
			start = i;
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i == start) {
			text_cstr(t, "::");
			i += longest - 1;
			continue;
		}
		if (i && (start < 0 || i != start + longest))
			text_char(t, ':');
		text_hex(t, group_of(a, i));
	}
}

void address_text(struct text *t, const union address *address)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	const unsigned char *a6 = address->in6.sin6_addr.s6_addr;

	if (address->any.sa_family == AF_INET)
		add_ipv4(t, (const unsigned char *)&address->in.sin_addr);
	else if (address->any.sa_family != AF_INET6)
		text_char(t, '-');
	else if (!memcmp(a6, mapped, sizeof(mapped)))
		add_ipv4(t, a6 + 12);
	else
		add_ipv6(t, a6);
}

static void add_quoted(struct text *t, struct str s)
{
	size_t end = t->len + QUOTED_MAX;

	text_char(t, '"');
	if (!s.len)
		text_char(t, '-');
	for (size_t i = 0; i < s.len && t->len < end; i++) {
		unsigned char c = s.at[i];

		if (c == '"' || c == '\\') {
			text_char(t, '\\');
			text_char(t, (char)c);
		} else if (c < ' ' || c >= 127) {
			text_cstr(t, "\\x");
			text_char(t, "0123456789abcdef"[c >> 4]);
			text_char(t, "0123456789abcdef"[c & 15]);
		} else {
			text_char(t, (char)c);
		}
	}
	text_char(t, '"');
}

void log_prepare(struct log_entry *entry, const union address *peer,
    const struct http_head *head, int status, time_t now)
{
	struct text t = {entry->text, 0, sizeof(entry->text), false};

	address_text(&t, peer);
	text_cstr(&t, " - - [");
	date_log(&t, now);
	text_cstr(&t, "] ");
	add_quoted(&t, head->line);
	text_char(&t, ' ');
	text_number(&t, status);
	text_char(&t, ' ');
	entry->front = t.len;
	text_char(&t, ' ');
	add_quoted(&t, head->field[FIELD_REFERER]);
	text_char(&t, ' ');
	add_quoted(&t, head->field[FIELD_USER_AGENT]);
	text_char(&t, '\n');
	entry->len = t.len;
}

void log_write(
    struct log *log, const struct log_entry *entry, uint64_t bytes, int64_t now)
{
	struct text *t = &log->text;

	if (t->cap - t->len < entry->len + 20)
		log_flush(log);
	if (!t->len)
		log->since = now;
	text_add(t, entry->text, entry->front);
	if (bytes)
		text_number(t, bytes);
	else
		text_char(t, '-');
	text_add(t, entry->text + entry->front, entry->len - entry->front);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Request targets: RFC 9112 section 3.2 for the forms, RFC 3986 for escapes
 * (2.1) and dot segments (5.2.4).
 *
 * Escapes are decoded before dot segments are removed, so that "%2e%2e" is
 * just another way to write "..".
 */
#include "apps/webserver/uri.h"

#include <string.h>
#include <strings.h>

static int hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Strips "http://host" and the query; false if that leaves no path. */
static bool path_of(struct str target, struct str *path, struct str *query)
{
	const char *mark, *end = target.at + target.len;

	if (target.len > 7 && !strncasecmp(target.at, "http://", 7)) {
		target.at += 7;
		while (target.at < end && !strchr("/?", *target.at))
			target.at++;
		target.len = end - target.at;
		if (!target.len)
			target = STR("/");
		else if (target.at[0] == '?')
			return false;
	}
	if (!target.len || target.at[0] != '/')
		return false;
	mark = memchr(target.at, '?', target.len);
	*query = (struct str){NULL, 0};
	*path = target;
	if (mark) {
		path->len = mark - target.at;
		*query = (struct str){mark + 1, target.len - path->len - 1};
	}
	return true;
}

/* Decodes one component into `out`; returns its length or minus a status. */
static int decode_component(struct str s, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = s.at[i];

		if (c == '%') {
			int hi = i + 2 < s.len ? hex_value(s.at[i + 1]) : -1;
			int lo = hi >= 0 ? hex_value(s.at[i + 2]) : -1;

			if (lo < 0)
				return -400;
			c = hi * 16 + lo;
			i += 2;
		}
		if (!c)
			return -400;
		if (c == '/')
			return -404;
		if (n == cap)
			return -414;
		out[n++] = (char)c;
	}
	return (int)n;
}

/* Removes the last component of "a/b/"; -1 if there is none. */
static int parent_length(const char *path, size_t len)
{
	if (!len)
		return -1;
	len--;
	while (len && path[len - 1] != '/')
		len--;
	return (int)len;
}

int uri_decode(struct str target, char *path, size_t cap, struct str *query)
{
	struct str rest;
	size_t len = 0;

	if (!path_of(target, &rest, query))
		return -400;
	/* The invariant: `path` is empty or ends in a slash. */
	while (rest.len) {
		const char *slash;
		struct str part = {rest.at + 1, rest.len - 1};
		int n;

		slash = part.len ? memchr(part.at, '/', part.len) : NULL;
		if (slash)
			part.len = slash - part.at;
		rest.at += part.len + 1;
		rest.len -= part.len + 1;
		n = decode_component(part, path + len, cap - len - 2);
		if (n < 0)
			return n;
		if (n == 2 && !memcmp(path + len, "..", 2)) {
			n = parent_length(path, len);
			if (n < 0)
				return -400;
			len = n;
		} else if (n && !(n == 1 && path[len] == '.')) {
			len += n;
			if (rest.len)
				path[len++] = '/';
		}
		if (cap - len <= 2)
			return -414;
	}
	path[len] = '\0';
	return (int)len;
}

void uri_encode(struct text *t, struct str path)
{
	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = path.at[i];

		if (((c | 32) >= 'a' && (c | 32) <= 'z') ||
		    (c >= '0' && c <= '9') || strchr("-._~/", c ? c : '%')) {
			text_char(t, (char)c);
			continue;
		}
		text_char(t, '%');
		text_char(t, "0123456789ABCDEF"[c >> 4]);
		text_char(t, "0123456789ABCDEF"[c & 15]);
	}
}

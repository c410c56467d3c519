/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings and text; see text.h.
 */
#include "apps/webserver/text.h"

#include <string.h>
#include <strings.h>

struct str str_from(const char *s)
{
	return (struct str){s, strlen(s)};
}

bool str_equal(struct str a, struct str b)
{
	return a.len == b.len && (!a.len || !memcmp(a.at, b.at, a.len));
}

bool str_equal_nocase(struct str a, struct str b)
{
	return a.len == b.len && (!a.len || !strncasecmp(a.at, b.at, a.len));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
	while (s.len && is_blank(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

bool str_next(struct str *list, char separator, struct str *item)
{
	const char *end;
	size_t len;

	if (!list->at)
		return false;
	end = list->len ? memchr(list->at, separator, list->len) : NULL;
	len = end ? (size_t)(end - list->at) : list->len;
	*item = str_trim((struct str){list->at, len});
	if (end)
		*list = (struct str){end + 1, list->len - len - 1};
	else
		*list = (struct str){NULL, 0};
	return true;
}

bool str_number(struct str s, uint64_t *value)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned char)s.at[i] - '0';

		if (digit > 9 || n > ((uint64_t)INT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*value = n;
	return s.len > 0;
}

void text_add(struct text *t, const void *data, size_t len)
{
	if (len > t->cap - t->len) {
		t->overflow = true;
		return;
	}
	if (len)
		memcpy(t->at + t->len, data, len);
	t->len += len;
}

void text_str(struct text *t, struct str s)
{
	text_add(t, s.at, s.len);
}

void text_char(struct text *t, char c)
{
	text_add(t, &c, 1);
}

void text_number(struct text *t, uint64_t value)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	text_add(t, digits + i, sizeof(digits) - i);
}

void text_hex(struct text *t, uint64_t value)
{
	char digits[16];
	size_t i = sizeof(digits);

	do {
		digits[--i] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value);
	text_add(t, digits + i, sizeof(digits) - i);
}

void text_digits(struct text *t, unsigned value, unsigned width)
{
	char digits[10];

	for (unsigned i = width; i-- > 0; value /= 10)
		digits[i] = (char)('0' + value % 10);
	text_add(t, digits, width);
}

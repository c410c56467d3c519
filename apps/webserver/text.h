/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings without a terminator, and text built in a buffer of fixed size.
 * Formatting is done here by hand: the hot path needs digits and copies,
 * and the image does not need printf.
 */
#ifndef TORIL_APPS_WEBSERVER_TEXT_H
#define TORIL_APPS_WEBSERVER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A piece of someone else's memory. */
struct str {
	const char *at;
	size_t len;
};

#define STR(literal) ((struct str){literal, sizeof(literal) - 1})

struct str str_from(const char *s);
bool str_equal(struct str a, struct str b);
bool str_equal_nocase(struct str a, struct str b);
/* Without spaces and tabs at either end. */
struct str str_trim(struct str s);
/* Cuts the next element off a comma-separated list, trimmed; false at the
 * end.  Empty elements are returned, as empty. */
bool str_next(struct str *list, char separator, struct str *item);
/* Decimal digits only, no sign; false if none, others, or beyond 2^63-1. */
bool str_number(struct str s, uint64_t *value);

/* What does not fit sets `overflow` and is left out. */
struct text {
	char *at;
	size_t len;
	size_t cap;
	bool overflow;
};

void text_add(struct text *t, const void *data, size_t len);
void text_str(struct text *t, struct str s);
/* Inline, since the length of a literal is known. */
static inline __attribute__((always_inline)) void text_cstr(
    struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}
void text_char(struct text *t, char c);
void text_number(struct text *t, uint64_t value);
void text_hex(struct text *t, uint64_t value);
void text_digits(struct text *t, unsigned value, unsigned width);

#endif

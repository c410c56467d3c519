/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Range; see range.h.
 */
#include "apps/webserver/range.h"

#include <string.h>
#include <strings.h>

enum verdict { BAD, BEYOND, GOOD };

/* "-500": the last 500 bytes. */
static enum verdict parse_suffix(
    struct str digits, uint64_t size, struct range *r)
{
	uint64_t n;

	if (!str_number(digits, &n))
		return BAD;
	if (!n || !size)
		return BEYOND;
	r->first = n < size ? size - n : 0;
	r->last = size - 1;
	return GOOD;
}

static enum verdict parse_one(struct str s, uint64_t size, struct range *r)
{
	const char *dash = s.len ? memchr(s.at, '-', s.len) : NULL;
	struct str first, last;

	if (!dash)
		return BAD;
	first = (struct str){s.at, dash - s.at};
	last = (struct str){dash + 1, s.len - first.len - 1};
	if (!first.len)
		return parse_suffix(last, size, r);
	if (!str_number(first, &r->first))
		return BAD;
	r->last = INT64_MAX;
	if (last.len && (!str_number(last, &r->last) || r->last < r->first))
		return BAD;
	if (r->first >= size)
		return BEYOND;
	if (r->last >= size)
		r->last = size - 1;
	return GOOD;
}

int range_parse(struct str value, uint64_t size, struct range *out)
{
	uint64_t total = 0;
	struct str item;
	int n = 0, asked = 0;

	if (value.len < 6 || strncasecmp(value.at, "bytes=", 6))
		return RANGE_IGNORE;
	value = (struct str){value.at + 6, value.len - 6};
	while (str_next(&value, ',', &item)) {
		struct range r;
		enum verdict v;

		if (!item.len)
			continue;
		v = parse_one(item, size, &r);
		if (v == BAD || ++asked > RANGES_MAX)
			return RANGE_IGNORE;
		if (v == BEYOND)
			continue;
		total += r.last - r.first + 1;
		if (total > size)
			return RANGE_IGNORE;
		out[n++] = r;
	}
	if (!asked)
		return RANGE_IGNORE;
	return n ? n : RANGE_UNSATISFIABLE;
}

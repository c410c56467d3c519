/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preconditions, in the order of RFC 9110 section 13.2.2, and
 * Accept-Encoding.  Our own entity tags are always strong.
 */
#include "apps/webserver/condition.h"
#include "apps/webserver/cache.h"
#include "apps/webserver/date.h"
#include "apps/webserver/http_parser.h"

#include <string.h>

static bool etag_listed(struct str list, struct str etag, bool weak)
{
	struct str item;

	if (str_equal(list, STR("*")))
		return true;
	while (str_next(&list, ',', &item)) {
		if (weak && item.len > 2 && !memcmp(item.at, "W/", 2))
			item = (struct str){item.at + 2, item.len - 2};
		if (str_equal(item, etag))
			return true;
	}
	return false;
}

int condition_check(
    const struct http_head *head, struct str etag, time_t modified)
{
	const struct str *field = head->field;
	time_t date;

	if (field[FIELD_IF_MATCH].at) {
		if (!etag_listed(field[FIELD_IF_MATCH], etag, false))
			return 412;
	} else if (field[FIELD_IF_UNMODIFIED_SINCE].at) {
		date = date_parse(field[FIELD_IF_UNMODIFIED_SINCE]);
		if (date != -1 && modified > date)
			return 412;
	}
	if (field[FIELD_IF_NONE_MATCH].at)
		return etag_listed(field[FIELD_IF_NONE_MATCH], etag, true) ? 304
									   : 0;
	if (field[FIELD_IF_MODIFIED_SINCE].at) {
		date = date_parse(field[FIELD_IF_MODIFIED_SINCE]);
		if (date != -1 && modified <= date)
			return 304;
	}
	return 0;
}

bool condition_if_range(
    const struct http_head *head, struct str etag, time_t modified)
{
	struct str value = head->field[FIELD_IF_RANGE];

	if (!value.at)
		return true;
	if (value.len && value.at[0] == '"')
		return str_equal(value, etag);
	return date_parse(value) == modified;
}

/* "q=0.5" in thousandths; 0 if it makes no sense. */
static int parse_q(struct str s)
{
	int q = 0, scale = 1000;

	if (s.len < 3 || (s.at[0] | 32) != 'q' || s.at[1] != '=')
		return 0;
	for (size_t i = 2; i < s.len && scale; i++) {
		if (s.at[i] == '.' && i == 3)
			continue;
		if (s.at[i] < '0' || s.at[i] > '9')
			return 0;
		q += (s.at[i] - '0') * scale;
		scale /= 10;
	}
	return q > 1000 ? 1000 : q;
}

/* The q-value of a coding: its own, else that of "*", else -1. */
static int q_of(struct str list, struct str coding)
{
	struct str item, name;
	int any = -1;

	while (str_next(&list, ',', &item)) {
		int q = 1000;

		if (!str_next(&item, ';', &name))
			continue;
		if (item.at)
			q = parse_q(str_trim(item));
		if (str_equal_nocase(name, coding))
			return q;
		if (str_equal(name, STR("*")))
			any = q;
	}
	return any;
}

unsigned coding_choose(struct str accept, unsigned available)
{
	int best, q;
	unsigned choice = 0;

	if (!accept.len || !available)
		return 0;
	best = q_of(accept, STR("identity"));
	if (best < 1)
		best = 1;
	q = available & SIBLING_GZIP ? q_of(accept, STR("gzip")) : 0;
	if (q >= best) {
		best = q;
		choice = SIBLING_GZIP;
	}
	q = available & SIBLING_BR ? q_of(accept, STR("br")) : 0;
	return q >= best ? SIBLING_BR : choice;
}

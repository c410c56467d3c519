/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dates; see date.h.  strftime and strptime would do, but bring locales.
 */
#include "apps/webserver/date.h"

#include <string.h>

static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static void add_clock(struct text *t, const struct tm *tm)
{
	text_digits(t, tm->tm_hour, 2);
	text_char(t, ':');
	text_digits(t, tm->tm_min, 2);
	text_char(t, ':');
	text_digits(t, tm->tm_sec, 2);
}

void date_http(struct text *t, time_t when)
{
	struct tm tm = {0};

	gmtime_r(&when, &tm);
	text_add(t, days + 3 * tm.tm_wday, 3);
	text_cstr(t, ", ");
	text_digits(t, tm.tm_mday, 2);
	text_char(t, ' ');
	text_add(t, months + 3 * tm.tm_mon, 3);
	text_char(t, ' ');
	text_digits(t, 1900 + tm.tm_year, 4);
	text_char(t, ' ');
	add_clock(t, &tm);
	text_cstr(t, " GMT");
}

void date_log(struct text *t, time_t when)
{
	struct tm tm = {0};

	gmtime_r(&when, &tm);
	text_digits(t, tm.tm_mday, 2);
	text_char(t, '/');
	text_add(t, months + 3 * tm.tm_mon, 3);
	text_char(t, '/');
	text_digits(t, 1900 + tm.tm_year, 4);
	text_char(t, ':');
	add_clock(t, &tm);
	text_cstr(t, " +0000");
}

/*
 * Matches `s` against a pattern: D, M, Y, h, m and s are digits of a field,
 * "bbb" is the month's name, a blank in front of a digit counts as 0 where
 * the pattern has 'd', and anything else stands for itself.
 */
struct fields {
	int day, month, year, hour, minute, second;
};

static int *field_of(struct fields *f, char c)
{
	switch (c) {
	case 'd':
	case 'D':
		return &f->day;
	case 'Y':
		return &f->year;
	case 'h':
		return &f->hour;
	case 'm':
		return &f->minute;
	case 's':
		return &f->second;
	}
	return NULL;
}

static int month_of(const char *name)
{
	for (int i = 0; i < 12; i++)
		if (!memcmp(name, months + 3 * i, 3))
			return i;
	return -1;
}

static bool match(struct str s, const char *pattern, struct fields *f)
{
	*f = (struct fields){0};
	if (s.len != strlen(pattern))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		int *field = field_of(f, pattern[i]);
		unsigned digit = (unsigned char)s.at[i] - '0';

		if (field) {
			if (pattern[i] == 'd' && s.at[i] == ' ')
				digit = 0;
			if (digit > 9)
				return false;
			*field = *field * 10 + (int)digit;
		} else if (pattern[i] == 'b') {
			f->month = month_of(s.at + i);
			if (f->month < 0)
				return false;
			i += 2;
		} else if (s.at[i] != pattern[i]) {
			return false;
		}
	}
	return true;
}

/* RFC 850 years are of the half century nearest to now. */
static int full_year(int year)
{
	time_t now = time(NULL);
	struct tm tm = {0};

	gmtime_r(&now, &tm);
	year += (1900 + tm.tm_year) / 100 * 100;
	return year > 1950 + tm.tm_year ? year - 100 : year;
}

static time_t to_time(const struct fields *f)
{
	struct tm tm = {.tm_mday = f->day,
	    .tm_mon = f->month,
	    .tm_year = f->year - 1900,
	    .tm_hour = f->hour,
	    .tm_min = f->minute,
	    .tm_sec = f->second};

	if (f->day < 1 || f->day > 31 || f->hour > 23 || f->minute > 59 ||
	    f->second > 60)
		return -1;
	return timegm(&tm);
}

time_t date_parse(struct str s)
{
	const char *comma = s.len ? memchr(s.at, ',', s.len) : NULL;
	struct fields f;
	struct str rest;

	if (!comma) {
		if (s.len < 4)
			return -1;
		rest = (struct str){s.at + 3, s.len - 3};
		return match(rest, " bbb dD hh:mm:ss YYYY", &f) ? to_time(&f)
								: -1;
	}
	rest = (struct str){comma + 1, s.at + s.len - comma - 1};
	if (match(rest, " DD bbb YYYY hh:mm:ss GMT", &f))
		return to_time(&f);
	if (!match(rest, " DD-bbb-YY hh:mm:ss GMT", &f))
		return -1;
	f.year = full_year(f.year);
	return to_time(&f);
}

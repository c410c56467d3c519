/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the web server makes of the values in a request: targets, ranges,
 * dates, codings, media types.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>
#include <string.h>

#include "apps/webserver/cache.h"
#include "apps/webserver/condition.h"
#include "apps/webserver/date.h"
#include "apps/webserver/http_parser.h"
#include "apps/webserver/mime.h"
#include "apps/webserver/range.h"
#include "apps/webserver/uri.h"

static void targets(void **state)
{
	static const struct {
		const char *target, *path;
		int status;
	} cases[] = {{"/", "", 0}, {"/a", "a", 0}, {"/a/", "a/", 0},
	    {"/a//b", "a/b", 0}, {"//a", "a", 0}, {"/a/.", "a/", 0},
	    {"/a/./b", "a/b", 0}, {"/a/..", "", 0}, {"/a/../b", "b", 0},
	    {"/a/b/..", "a/", 0}, {"/%61%2e%2E", "a..", 0}, {"/...", "...", 0},
	    {"/a?b/../..", "a", 0}, {"/%3f", "?", 0}, {"http://h/a", "a", 0},
	    {"HTTP://h", "", 0}, {"/..", NULL, 400}, {"/a/../..", NULL, 400},
	    {"/%2e%2e", NULL, 400}, {"/%", NULL, 400}, {"/%1", NULL, 400},
	    {"/%1g", NULL, 400}, {"/%00", NULL, 400}, {"a", NULL, 400},
	    {"*", NULL, 400}, {"http://h?q", NULL, 400},
	    {"ftp://h/a", NULL, 400}, {"/a%2Fb", NULL, 404}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[64];
		struct str query;
		int r = uri_decode(
		    str_from(cases[i].target), path, sizeof(path), &query);

		if (cases[i].status)
			assert_int_equal(r, -cases[i].status);
		else
			assert_string_equal(path, cases[i].path);
	}
}

static void targets_that_do_not_fit(void **state)
{
	char target[64], path[16];
	struct str query;

	(void)state;
	for (size_t len = 1; len < sizeof(target); len++) {
		int r;

		memset(target, 'a', len);
		target[0] = '/';
		r = uri_decode(
		    (struct str){target, len}, path, sizeof(path), &query);
		assert_true(r == (int)len - 1 || (r == -414 && len > 12));
	}
	memset(target, '/', sizeof(target));
	for (size_t i = 1; i < sizeof(target); i += 2)
		target[i] = 'a';
	assert_int_equal(uri_decode((struct str){target, sizeof(target)}, path,
			     sizeof(path), &query),
	    -414);
}

static void encoding_of_paths(void **state)
{
	char out[64];
	struct text t = {out, 0, sizeof(out), false};

	(void)state;
	uri_encode(&t, STR("a/b c\"\xc3\xa4%"));
	assert_true(
	    str_equal((struct str){t.at, t.len}, STR("a/b%20c%22%C3%A4%25")));
}

static void query_is_cut_off(void **state)
{
	char path[64];
	struct str query;

	(void)state;
	uri_decode(STR("/a?b?c"), path, sizeof(path), &query);
	assert_true(str_equal(query, STR("b?c")));
	uri_decode(STR("/a"), path, sizeof(path), &query);
	assert_null(query.at);
}

static void ranges(void **state)
{
	static const struct {
		const char *value;
		int n;
		uint64_t first, last; /* of the last range */
	} cases[] = {{"bytes=0-0", 1, 0, 0}, {"Bytes=5-", 1, 5, 99},
	    {"bytes=-1", 1, 99, 99}, {"bytes=-1000", 1, 0, 99},
	    {"bytes=0-99", 1, 0, 99}, {"bytes=0-100", 1, 0, 99},
	    {"bytes=0-1, 4-5", 2, 4, 5}, {"bytes=0-1,,100-", 1, 0, 1},
	    {"bytes=99-99", 1, 99, 99}, {"bytes=100-", -1, 0, 0},
	    {"bytes=-0", -1, 0, 0}, {"bytes=1-0", 0, 0, 0},
	    {"bytes=0-99,0-0", 0, 0, 0}, {"bytes=", 0, 0, 0},
	    {"bytes=,", 0, 0, 0}, {"bytes", 0, 0, 0}, {"", 0, 0, 0},
	    {"bytes=9223372036854775807-", -1, 0, 0},
	    {"bytes=9223372036854775808-", 0, 0, 0},
	    {"bytes=0-9223372036854775807", 1, 0, 99}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct range out[RANGES_MAX];
		int n = range_parse(str_from(cases[i].value), 100, out);

		if (n != cases[i].n)
			fail_msg("%s: %d", cases[i].value, n);
		if (n < 1)
			continue;
		assert_int_equal(out[n - 1].first, cases[i].first);
		assert_int_equal(out[n - 1].last, cases[i].last);
	}
}

static void dates(void **state)
{
	char out[DATE_HTTP_LEN];
	struct text t = {out, 0, sizeof(out), false};

	(void)state;
	date_http(&t, 784111777);
	assert_true(str_equal(
	    (struct str){t.at, t.len}, STR("Sun, 06 Nov 1994 08:49:37 GMT")));
	assert_int_equal(
	    date_parse(STR("Sun, 06 Nov 1994 08:49:37 GMT")), 784111777);
	assert_int_equal(
	    date_parse(STR("Sunday, 06-Nov-94 08:49:37 GMT")), 784111777);
	assert_int_equal(
	    date_parse(STR("Sun Nov  6 08:49:37 1994")), 784111777);
	assert_int_equal(date_parse(STR("")), -1);
	assert_int_equal(date_parse(STR("Sun, 06 Nov 1994 08:49:37")), -1);
	assert_int_equal(date_parse(STR("Sun, 06 Nix 1994 08:49:37 GMT")), -1);
	assert_int_equal(date_parse(STR("Sun, 06 Nov 1994 28:49:37 GMT")), -1);
}

static void codings(void **state)
{
	unsigned both = SIBLING_BR | SIBLING_GZIP;

	(void)state;
	assert_int_equal(coding_choose(STR("gzip, br"), both), SIBLING_BR);
	assert_int_equal(
	    coding_choose(STR("gzip, br"), SIBLING_GZIP), SIBLING_GZIP);
	assert_int_equal(
	    coding_choose(STR("gzip, br;q=0.9"), both), SIBLING_GZIP);
	assert_int_equal(coding_choose(STR("*;q=0.1"), both), SIBLING_BR);
	assert_int_equal(coding_choose(STR("br;q=0,gzip;q=0.0"), both), 0);
	assert_int_equal(coding_choose(STR("gzip;q=x"), both), 0);
	assert_int_equal(coding_choose(STR("identity,gzip;q=0.1"), both), 0);
	assert_int_equal(coding_choose((struct str){0}, both), 0);
}

static void media_types(void **state)
{
	(void)state;
	assert_string_equal(
	    mime_of(STR("a/b.HTML"))->type, "text/html; charset=utf-8");
	assert_string_equal(mime_of(STR("x.woff2"))->type, "font/woff2");
	assert_string_equal(
	    mime_of(STR("x.webmanifest"))->type, "application/manifest+json");
	assert_string_equal(
	    mime_of(STR("a.txt/b"))->type, "application/octet-stream");
	assert_string_equal(
	    mime_of(STR("txt"))->type, "application/octet-stream");
	assert_string_equal(mime_of(STR(""))->type, "application/octet-stream");
	assert_string_equal(mime_of(STR("x.muchtoolongasuffix"))->type,
	    "application/octet-stream");
	assert_string_equal(
	    mime_of(STR("x.7z"))->type, "application/x-7z-compressed");
	assert_string_equal(mime_of(STR("x.zst"))->type, "application/zstd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(targets),
	    cmocka_unit_test(targets_that_do_not_fit),
	    cmocka_unit_test(encoding_of_paths),
	    cmocka_unit_test(query_is_cut_off),
	    cmocka_unit_test(ranges),
	    cmocka_unit_test(dates),
	    cmocka_unit_test(codings),
	    cmocka_unit_test(media_types),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The web server's request parser: heads in one piece and cut anywhere, what
 * is refused with which status, and bodies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/webserver/http_parser.h"

#define HOST "Host: x\r\n"

/* A copy of its own, so that ASan sees a read past the end. */
static int parse(const char *text, struct http_head *head)
{
	size_t len = strlen(text), scanned = 0;
	char *copy = malloc(len);
	int status;

	memcpy(copy, text, len);
	assert_int_equal(http_head_find(copy, len, &scanned), len);
	status = http_head_parse(copy, len, head);
	free(copy);
	return status;
}

static void head_is_found_however_it_is_cut(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\n" HOST "\r\nrest";
	size_t end = sizeof(text) - 1 - 4;

	(void)state;
	for (size_t cut = 0; cut < end; cut++) {
		size_t scanned = 0;

		assert_int_equal(http_head_find(text, cut, &scanned), 0);
		assert_int_equal(
		    http_head_find(text, sizeof(text) - 1, &scanned), end);
	}
}

/* Bytes behind the head are not looked at. */
static void a_head_ends_with_its_first_empty_line(void **state)
{
	static const char text[] =
	    "GET / HTTP/1.1\r\n" HOST "\r\n\x01 GET / HTTP/1.1\r\n\r\n";
	struct http_head head;

	(void)state;
	assert_int_equal(http_head_parse(text, strlen(text), &head), 0);
	assert_int_equal(head.length, strlen("GET / HTTP/1.1\r\n" HOST "\r\n"));
	assert_int_equal(http_head_parse("GET /\r\n\r\n", 9, &head), 400);
	assert_int_equal(head.length, 0);
}

/* At any place within the eight bytes that are looked at together. */
static void each_byte_counts(void **state)
{
	(void)state;
	for (size_t before = 0; before < 20; before++)
		for (unsigned c = 1; c < 256; c++) {
			char text[80] = "GET / HTTP/1.1\r\nHost: x\r\nX:";
			size_t n = strlen(text);
			struct http_head head;
			int bad = (c < ' ' && c != '\t') || c == 127;

			memset(text + n, 'y', before);
			text[n + before] = (char)c;
			strcpy(text + n + before + 1, "z\r\n\r\n");
			n = strlen(text);
			assert_int_equal(
			    http_head_parse(text, n, &head), bad ? 400 : 0);
			if (!bad)
				assert_int_equal(head.length, n);
		}
}

static void each_field_has_its_name(void **state)
{
	static const char *const names[HTTP_FIELDS] = {"Accept-Encoding",
	    "Connection", "Content-Length", "Expect", "Host", "If-Match",
	    "If-Modified-Since", "If-None-Match", "If-Range",
	    "If-Unmodified-Since", "Range", "Referer", "Transfer-Encoding",
	    "User-Agent"};

	(void)state;
	for (int i = 0; i < HTTP_FIELDS; i++)
		for (int cut = 0; cut < 2; cut++) {
			char text[80];
			struct http_head head;
			bool known = !cut && i != FIELD_TRANSFER_ENCODING;

			snprintf(text, sizeof(text),
			    "GET / HTTP/1.0\r\n%s: 7\r\n\r\n", names[i]);
			/* Another last letter. */
			if (cut)
				text[15 + strlen(names[i])] ^= 7;
			http_head_parse(text, strlen(text), &head);
			for (int j = 0; known && j < HTTP_FIELDS; j++)
				assert_true(!head.field[j].at == (i != j));
			for (int j = 0; cut && j < HTTP_FIELDS; j++)
				assert_null(head.field[j].at);
		}
}

static void fields_are_kept(void **state)
{
	static const char text[] =
	    "HEAD /a?b HTTP/1.1\r\nhOST:x \r\nRange:\t bytes=1-2\t\r\n"
	    "X: y\r\nIf-Range: 1\r\nif-range: 2\r\nReferer:\r\n\r\n";
	struct http_head head;

	(void)state;
	assert_int_equal(http_head_parse(text, strlen(text), &head), 0);
	assert_int_equal(head.method, HTTP_HEAD);
	assert_true(str_equal(head.target, STR("/a?b")));
	assert_true(str_equal(head.line, STR("HEAD /a?b HTTP/1.1")));
	assert_true(str_equal(head.field[FIELD_HOST], STR("x")));
	assert_true(str_equal(head.field[FIELD_RANGE], STR("bytes=1-2")));
	assert_true(str_equal(head.field[FIELD_IF_RANGE], STR("1")));
	assert_non_null(head.field[FIELD_REFERER].at);
	assert_int_equal(head.field[FIELD_REFERER].len, 0);
	assert_null(head.field[FIELD_EXPECT].at);
	assert_true(head.keep_alive);
	assert_false(head.chunked);
}

static void statuses(void **state)
{
	static const struct {
		const char *text;
		int status;
	} cases[] = {
	    {"GET / HTTP/1.1\r\n" HOST "\r\n", 0},
	    {"GET / HTTP/1.0\r\n\r\n", 0},
	    {"GET / HTTP/1.9\r\n" HOST "\r\n", 0},
	    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 0},
	    {"GET / HTTP/1.1\r\n\r\n", 400},
	    {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
	    {"GET / HTTP/2.0\r\n\r\n", 505},
	    {"GET / HTTP/11\r\n\r\n", 400},
	    {"GET / HTTP/1.1 \r\n\r\n", 400},
	    {"GET /\r\n\r\n", 400},
	    {"GET\r\n\r\n", 400},
	    {" / HTTP/1.1\r\n\r\n", 400},
	    {"GET  HTTP/1.1\r\n\r\n", 400},
	    {"G(T / HTTP/1.1\r\n" HOST "\r\n", 400},
	    {"GET / HTTP/1.1\n" HOST "\r\n", 400},
	    {"GET / HTTP/1.1\r\nHost: x\n\n", 400},
	    {"GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n", 400},
	    {"GET / HTTP/1.1\r\n" HOST " b\r\n\r\n", 400},
	    {"GET / HTTP/1.1\r\n" HOST "A: \x7f\r\n\r\n", 400},
	    {"GET / HTTP/1.1\r\n" HOST "A: \r\r\n\r\n", 400},
	    {"GET / HTTP/1.1\r\n" HOST "A: \xc3\xa4\r\n\r\n", 0},
	    {"GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", 0},
	    {"GET / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\n", 400},
	    {"GET / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400},
	    {"GET / HTTP/1.1\r\n" HOST
	     "Content-Length: 9223372036854775808\r\n\r\n",
		400},
	    {"GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n"
	     "Content-Length: 5\r\n\r\n",
		400},
	    {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n", 0},
	    {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n",
		501},
	    {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
	     "Content-Length: 5\r\n\r\n",
		400},
	    {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
	     "Transfer-Encoding: chunked\r\n\r\n",
		400},
	    {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_head head;
		int status = parse(cases[i].text, &head);

		if (status != cases[i].status)
			fail_msg("%s: %d", cases[i].text, status);
	}
}

static void keep_alive(void **state)
{
	struct http_head head;

	(void)state;
	parse("GET / HTTP/1.1\r\n" HOST "Connection: a,close\r\n\r\n", &head);
	assert_false(head.keep_alive);
	parse("GET / HTTP/1.0\r\n\r\n", &head);
	assert_false(head.keep_alive);
	parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &head);
	assert_true(head.keep_alive);
}

/* Feeds the text in pieces of `step`; what http_body_feed said last. */
static ssize_t feed(const char *text, size_t step, struct http_body *body)
{
	struct http_head head = {.chunked = true};
	size_t at = 0, len = strlen(text);

	assert_int_equal(http_body_start(body, &head, 1000), 0);
	while (at < len && body->state != BODY_DONE) {
		size_t n = len - at < step ? len - at : step;
		ssize_t r = http_body_feed(body, text + at, n);

		if (r < 0)
			return r;
		at += r;
	}
	return at;
}

static void chunked_bodies(void **state)
{
	static const char good[] = "5\r\nhello\r\nA;x=\"y\"\r\n0123456789\r\n"
				   "000\r\nT: x\r\nU:\r\n\r\n";
	static const char *const bad[] = {"\r\n", "g\r\n", "5\n", "5 \r\n",
	    "1\r\nab\r\n", "1\r\na\n", "0\r\n\n", "0\r\nT: x\n", "-1\r\n",
	    "0x1\r\n", "1\r\r\n"};
	struct http_body body;

	(void)state;
	for (size_t step = 1; step < sizeof(good); step++) {
		assert_int_equal(feed(good, step, &body), sizeof(good) - 1);
		assert_int_equal(body.state, BODY_DONE);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(feed(bad[i], 1, &body), -400);
	assert_int_equal(feed("3e9\r\n", 1, &body), -413);
	assert_int_equal(feed("3e8\r\n", 1, &body), 5);
	assert_int_equal(feed("fffffffffffffffff\r\n", 1, &body), -413);
}

static void plain_bodies(void **state)
{
	struct http_head head = {.content_length = 5};
	struct http_body body;

	(void)state;
	assert_int_equal(http_body_start(&body, &head, 4), 413);
	assert_int_equal(http_body_start(&body, &head, 5), 0);
	assert_int_equal(http_body_feed(&body, "ab", 2), 2);
	assert_int_equal(http_body_feed(&body, "cdeGET", 6), 3);
	assert_int_equal(body.state, BODY_DONE);
	head.content_length = 0;
	assert_int_equal(http_body_start(&body, &head, 5), 0);
	assert_int_equal(body.state, BODY_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(head_is_found_however_it_is_cut),
	    cmocka_unit_test(a_head_ends_with_its_first_empty_line),
	    cmocka_unit_test(each_byte_counts),
	    cmocka_unit_test(each_field_has_its_name),
	    cmocka_unit_test(fields_are_kept),
	    cmocka_unit_test(statuses),
	    cmocka_unit_test(keep_alive),
	    cmocka_unit_test(chunked_bodies),
	    cmocka_unit_test(plain_bodies),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The request head: request line and header fields, RFC 9112 sections 3
 * and 5.  The interface and the idea are in http_parser.h.
 */
#include "apps/webserver/http_parser.h"

#include <string.h>

size_t http_head_find(const char *buf, size_t len, size_t *scanned)
{
	size_t at = *scanned;

	while (at < len) {
		const char *lf = memchr(buf + at, '\n', len - at);
		size_t i;

		if (!lf)
			break;
		i = lf - buf;
		at = i + 1;
		/* A bare LF ends a line here, so that http_head_parse gets to
		 * refuse it; else the client would wait for an answer. */
		if (i >= 1 &&
		    (buf[i - 1] == '\n' ||
			(i >= 2 && buf[i - 1] == '\r' && buf[i - 2] == '\n'))) {
			*scanned = at;
			return at;
		}
	}
	*scanned = len;
	return 0;
}

static bool is_token_char(unsigned char c)
{
	if ((c | 32) >= 'a' && (c | 32) <= 'z')
		return true;
	return (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_token_char(s.at[i]))
			return false;
	return s.len > 0;
}

/* Printable, or a byte of UTF-8 or Latin-1; blanks where `blank` says so. */
static bool is_text(struct str s, bool blank)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = s.at[i];

		if (c == 127 || c < ' ' ? !(blank && c == '\t')
					: c == ' ' && !blank)
			return false;
	}
	return true;
}

/* Cuts a line off `rest`; false if it does not end in CRLF. */
static bool next_line(struct str *rest, struct str *line)
{
	const char *lf = memchr(rest->at, '\n', rest->len);
	size_t len;

	if (!lf || lf == rest->at || lf[-1] != '\r')
		return false;
	len = lf - rest->at;
	*line = (struct str){rest->at, len - 1};
	*rest = (struct str){lf + 1, rest->len - len - 1};
	return true;
}

static size_t line_length(const char *buf, size_t len)
{
	size_t i = 0;

	while (i < len && buf[i] != '\r' && buf[i] != '\n')
		i++;
	return i;
}

static enum http_method method_of(struct str name)
{
	static const char known[][8] = {
	    "CONNECT", "DELETE", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"};

	if (str_equal(name, STR("GET")))
		return HTTP_GET;
	if (str_equal(name, STR("HEAD")))
		return HTTP_HEAD;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (name.len == strnlen(known[i], 8) &&
		    !memcmp(name.at, known[i], name.len))
			return HTTP_NOT_ALLOWED;
	return HTTP_UNKNOWN;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int parse_version(struct str s, struct http_head *head)
{
	if (s.len != 8 || memcmp(s.at, "HTTP/", 5) || !is_digit(s.at[5]) ||
	    s.at[6] != '.' || !is_digit(s.at[7]))
		return 400;
	if (s.at[5] != '1')
		return 505;
	head->minor = s.at[7] - '0';
	head->keep_alive = head->minor >= 1;
	return 0;
}

static int parse_request_line(struct str line, struct http_head *head)
{
	struct str method, version;
	const char *space = memchr(line.at, ' ', line.len);
	const char *end = line.at + line.len, *last;

	if (!space)
		return 400;
	last = memrchr(line.at, ' ', line.len);
	method = (struct str){line.at, space - line.at};
	version = (struct str){last + 1, end - last - 1};
	if (last == space || !is_token(method))
		return 400;
	head->method = method_of(method);
	head->target = (struct str){space + 1, last - space - 1};
	if (head->target.len > HTTP_TARGET_MAX)
		return 414;
	if (!head->target.len || !is_text(head->target, false))
		return 400;
	return parse_version(version, head);
}

static const struct str field_names[HTTP_FIELDS] = {
    [FIELD_ACCEPT_ENCODING] = {"accept-encoding", 15},
    [FIELD_CONNECTION] = {"connection", 10},
    [FIELD_CONTENT_LENGTH] = {"content-length", 14},
    [FIELD_EXPECT] = {"expect", 6},
    [FIELD_HOST] = {"host", 4},
    [FIELD_IF_MATCH] = {"if-match", 8},
    [FIELD_IF_MODIFIED_SINCE] = {"if-modified-since", 17},
    [FIELD_IF_NONE_MATCH] = {"if-none-match", 13},
    [FIELD_IF_RANGE] = {"if-range", 8},
    [FIELD_IF_UNMODIFIED_SINCE] = {"if-unmodified-since", 19},
    [FIELD_RANGE] = {"range", 5},
    [FIELD_REFERER] = {"referer", 7},
    [FIELD_TRANSFER_ENCODING] = {"transfer-encoding", 17},
    [FIELD_USER_AGENT] = {"user-agent", 10},
};

static void parse_connection(struct str list, struct http_head *head)
{
	bool keep = head->minor >= 1;
	struct str item;

	while (str_next(&list, ',', &item)) {
		if (str_equal_nocase(item, STR("close"))) {
			head->keep_alive = false;
			return;
		}
		if (str_equal_nocase(item, STR("keep-alive")))
			keep = true;
	}
	head->keep_alive = keep;
}

/* A second Host, Content-Length or Transfer-Encoding is how requests are
 * smuggled; of other fields the first one counts. */
static int keep_field(struct http_head *head, int i, struct str value)
{
	if (!head->field[i].at) {
		head->field[i] = value;
		if (i == FIELD_CONNECTION)
			parse_connection(value, head);
		return 0;
	}
	if (i == FIELD_HOST || i == FIELD_CONTENT_LENGTH ||
	    i == FIELD_TRANSFER_ENCODING)
		return 400;
	return 0;
}

static int parse_field(struct str line, struct http_head *head)
{
	const char *colon = memchr(line.at, ':', line.len);
	struct str name, value;

	if (!colon)
		return 400;
	name = (struct str){line.at, colon - line.at};
	value = (struct str){colon + 1, line.len - name.len - 1};
	/* is_token also refuses folded lines and a blank before the colon. */
	if (!is_token(name) || !is_text(value, true))
		return 400;
	for (int i = 0; i < HTTP_FIELDS; i++)
		if (str_equal_nocase(name, field_names[i]))
			return keep_field(head, i, str_trim(value));
	return 0;
}

static int check_length(struct http_head *head)
{
	struct str length = head->field[FIELD_CONTENT_LENGTH];
	struct str coding = head->field[FIELD_TRANSFER_ENCODING];

	if (length.at && !str_number(length, &head->content_length))
		return 400;
	if (!coding.at)
		return 0;
	if (length.at || head->minor == 0)
		return 400;
	if (!str_equal_nocase(coding, STR("chunked")))
		return 501;
	head->chunked = true;
	return 0;
}

static int check_host(const struct http_head *head)
{
	struct str host = head->field[FIELD_HOST];

	if (!host.at)
		return head->minor >= 1 ? 400 : 0;
	/* Empty is allowed: the target may have no authority. */
	for (size_t i = 0; i < host.len; i++)
		if (strchr(" \t,/\\?#@<>\"", host.at[i]))
			return 400;
	return 0;
}

int http_head_parse(const char *buf, size_t len, struct http_head *head)
{
	struct str rest = {buf, len}, line;
	int status, fields = 0;

	memset(head, 0, sizeof(*head));
	head->line = (struct str){buf, line_length(buf, len)};
	if (!next_line(&rest, &line))
		return 400;
	status = parse_request_line(line, head);
	while (!status) {
		if (!next_line(&rest, &line))
			return 400;
		if (!line.len)
			break;
		if (++fields > HTTP_FIELDS_MAX)
			return 431;
		status = parse_field(line, head);
	}
	if (!status)
		status = check_host(head);
	return status ? status : check_length(head);
}

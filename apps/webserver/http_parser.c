/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The request head: request line and header fields, RFC 9112 sections 3
 * and 5.  The interface and the idea are in http_parser.h.
 */
#include "apps/webserver/http_parser.h"

#include <string.h>

/* What a byte may be part of. */
#define IN_TOKEN 1 /* RFC 9110, 5.6.2 */
#define NO_HOST  2 /* of these no host consists */

static const uint8_t class_of[256] = {
    ['!'] = IN_TOKEN,
    ['#'] = IN_TOKEN | NO_HOST,
    ['$' ... '\''] = IN_TOKEN,
    ['*' ... '+'] = IN_TOKEN,
    ['-' ... '.'] = IN_TOKEN,
    ['0' ... '9'] = IN_TOKEN,
    ['A' ... 'Z'] = IN_TOKEN,
    ['^' ... 'z'] = IN_TOKEN,
    ['|'] = IN_TOKEN,
    ['~'] = IN_TOKEN,
    [0] = NO_HOST,
    ['\t'] = NO_HOST,
    [' '] = NO_HOST,
    ['"'] = NO_HOST,
    [','] = NO_HOST,
    ['/'] = NO_HOST,
    ['<'] = NO_HOST,
    ['>' ... '@'] = NO_HOST,
    ['\\'] = NO_HOST,
};

/* How many bytes of a token `s` begins with. */
static size_t token_length(struct str s)
{
	size_t i = 0;

	while (i < s.len && class_of[(unsigned char)s.at[i]] & IN_TOKEN)
		i++;
	return i;
}

#define EACH(byte) (~UINT64_C(0) / 255 * (byte))

/* The first control character from `at` on, DEL included, or `end`.  Eight
 * bytes at a time: a subtraction borrows from the top bit of those that are
 * too low, and of the lowest such one no other can be the cause. */
static const char *skip_text(const char *at, const char *end)
{
	for (; end - at >= 8; at += 8) {
		uint64_t w, del, found;

		memcpy(&w, at, 8);
		del = w ^ EACH(127);
		found = (((w - EACH(' ')) & ~w) | ((del - EACH(1)) & ~del)) &
			EACH(128);
		if (found)
			return at + __builtin_ctzll(found) / 8;
	}
	while (at < end && (unsigned char)*at >= ' ' && *at != 127)
		at++;
	return at;
}

size_t http_head_find(const char *buf, size_t len, size_t *scanned)
{
	const char *end = buf + len, *at = buf + *scanned;

	while ((at = skip_text(at, end)) < end) {
		size_t i = at++ - buf;

		if (buf[i] != '\n')
			continue;
		/* A bare LF ends a line here, so that http_head_parse gets to
		 * refuse it; else the client would wait for an answer. */
		if (i >= 1 &&
		    (buf[i - 1] == '\n' ||
			(i >= 2 && buf[i - 1] == '\r' && buf[i - 2] == '\n')))
			return *scanned = i + 1;
	}
	*scanned = len;
	return 0;
}

/* Cuts a line off `rest`: printable, or bytes of UTF-8 or Latin-1, and tabs;
 * false if there is anything else in it, or if it does not end in CRLF. */
static bool next_line(struct str *rest, struct str *line)
{
	const char *end = rest->at + rest->len;
	const char *at = skip_text(rest->at, end);

	while (at < end && *at == '\t')
		at = skip_text(at + 1, end);
	if (end - at < 2 || at[0] != '\r' || at[1] != '\n')
		return false;
	*line = (struct str){rest->at, at - rest->at};
	*rest = (struct str){at + 2, end - at - 2};
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

/* No line here has control characters but tabs; a target has no blanks. */
static int parse_request_line(struct str line, struct http_head *head)
{
	size_t method = token_length(line), at = method + 1, end;

	if (!method || method == line.len || line.at[method] != ' ')
		return 400;
	head->method = method_of((struct str){line.at, method});
	for (end = line.len; end > at && line.at[end - 1] != ' ';)
		end--;
	if (end <= at)
		return 400;
	head->target = (struct str){line.at + at, end - 1 - at};
	if (head->target.len > HTTP_TARGET_MAX)
		return 414;
	if (!head->target.len)
		return 400;
	for (size_t i = 0; i < head->target.len; i++)
		if (head->target.at[i] == ' ' || head->target.at[i] == '\t')
			return 400;
	return parse_version((struct str){line.at + end, line.len - end}, head);
}

static const char field_names[HTTP_FIELDS][20] = {
    [FIELD_ACCEPT_ENCODING] = "accept-encoding",
    [FIELD_CONNECTION] = "connection",
    [FIELD_CONTENT_LENGTH] = "content-length",
    [FIELD_EXPECT] = "expect",
    [FIELD_HOST] = "host",
    [FIELD_IF_MATCH] = "if-match",
    [FIELD_IF_MODIFIED_SINCE] = "if-modified-since",
    [FIELD_IF_NONE_MATCH] = "if-none-match",
    [FIELD_IF_RANGE] = "if-range",
    [FIELD_IF_UNMODIFIED_SINCE] = "if-unmodified-since",
    [FIELD_RANGE] = "range",
    [FIELD_REFERER] = "referer",
    [FIELD_TRANSFER_ENCODING] = "transfer-encoding",
    [FIELD_USER_AGENT] = "user-agent",
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

/* Which one a name can be, by its length and first letter. */
static int field_candidate(struct str name)
{
#define KEY(len, letter) ((len)*256 + (letter))
	switch (KEY(name.len, name.at[0] | 32)) {
	case KEY(4, 'h'):
		return FIELD_HOST;
	case KEY(5, 'r'):
		return FIELD_RANGE;
	case KEY(6, 'e'):
		return FIELD_EXPECT;
	case KEY(7, 'r'):
		return FIELD_REFERER;
	case KEY(8, 'i'):
		return (name.at[3] | 32) == 'm' ? FIELD_IF_MATCH
						: FIELD_IF_RANGE;
	case KEY(10, 'c'):
		return FIELD_CONNECTION;
	case KEY(10, 'u'):
		return FIELD_USER_AGENT;
	case KEY(13, 'i'):
		return FIELD_IF_NONE_MATCH;
	case KEY(14, 'c'):
		return FIELD_CONTENT_LENGTH;
	case KEY(15, 'a'):
		return FIELD_ACCEPT_ENCODING;
	case KEY(17, 'i'):
		return FIELD_IF_MODIFIED_SINCE;
	case KEY(17, 't'):
		return FIELD_TRANSFER_ENCODING;
	case KEY(19, 'i'):
		return FIELD_IF_UNMODIFIED_SINCE;
	}
	return -1;
#undef KEY
}

/* `name` is a token: of those only letters become others, by 32. */
static int field_of(struct str name)
{
	int field = field_candidate(name);

	for (size_t i = 1; field >= 0 && i < name.len; i++)
		if ((name.at[i] | 32) != field_names[field][i])
			return -1;
	return field;
}

static int parse_field(struct str line, struct http_head *head)
{
	size_t len = token_length(line);
	int field;

	/* This also refuses folded lines and a blank before the colon. */
	if (!len || len == line.len || line.at[len] != ':')
		return 400;
	field = field_of((struct str){line.at, len});
	if (field < 0)
		return 0;
	return keep_field(head, field,
	    str_trim((struct str){line.at + len + 1, line.len - len - 1}));
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
		if (class_of[(unsigned char)host.at[i]] & NO_HOST)
			return 400;
	return 0;
}

int http_head_parse(const char *buf, size_t len, struct http_head *head)
{
	struct str rest = {buf, len}, line;
	int status, fields = 0;

	memset(head, 0, sizeof(*head));
	if (!next_line(&rest, &line)) {
		head->line = (struct str){buf, line_length(buf, len)};
		return 400;
	}
	head->line = line;
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
	if (!status)
		status = check_length(head);
	if (!status)
		head->length = rest.at - buf;
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: everything in the web server that looks at a client's bytes.
 * The sanitizers look for reads out of bounds; the asserts are what the
 * server relies on.
 */
#include "apps/webserver/condition.h"
#include "apps/webserver/cache.h"
#include "apps/webserver/http_parser.h"
#include "apps/webserver/range.h"
#include "apps/webserver/uri.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A path must stay below the root, whatever the target was. */
static void check_path(struct str target)
{
	char path[256], *part, *rest = path;
	struct str query;
	int len = uri_decode(target, path, sizeof(path), &query);

	if (len < 0)
		return;
	assert((size_t)len == strlen(path) && (size_t)len < sizeof(path));
	assert(path[0] != '/');
	while ((part = strsep(&rest, "/"))) {
		assert(*part || !rest);
		assert(strcmp(part, ".") && strcmp(part, ".."));
	}
}

static void check_ranges(struct str value, uint64_t size)
{
	struct range range[RANGES_MAX];
	uint64_t total = 0;
	int n = range_parse(value, size, range);

	assert(n <= RANGES_MAX);
	for (int i = 0; i < n; i++) {
		assert(range[i].first <= range[i].last);
		assert(range[i].last < size);
		total += range[i].last - range[i].first + 1;
	}
	assert(n <= 0 || total <= size);
}

static void check_head(const struct http_head *head)
{
	const struct str *field = head->field;

	check_path(head->target);
	if (field[FIELD_RANGE].at)
		for (uint64_t size = 0; size < 3000; size += 1000)
			check_ranges(field[FIELD_RANGE], size);
	condition_check(head, STR("\"1-2-3\""), 1000000000);
	condition_if_range(head, STR("\"1-2-3\""), 1000000000);
	coding_choose(field[FIELD_ACCEPT_ENCODING], SIBLING_BR | SIBLING_GZIP);
}

/* In one piece or byte by byte: the same end. */
static void check_body(
    const struct http_head *head, const char *buf, size_t len)
{
	struct http_body whole, single;
	ssize_t a, b = 0;
	size_t at = 0;

	if (http_body_start(&whole, head, 65536))
		return;
	single = whole;
	a = http_body_feed(&whole, buf, len);
	while (b >= 0 && at < len && single.state != BODY_DONE) {
		b = http_body_feed(&single, buf + at, 1);
		at++;
	}
	assert(a < 0 ? a == b : b >= 0 && (size_t)a == at);
	assert(a < 0 || whole.state == single.state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *buf = (const char *)data;
	size_t scanned = 0, slow = 0, head_len, n = 0;
	struct http_head head;

	head_len = http_head_find(buf, size, &scanned);
	for (size_t len = 0; len <= size && !n; len++)
		n = http_head_find(buf, len, &slow);
	assert(n == head_len);
	if (!head_len || http_head_parse(buf, head_len, &head)) {
		http_head_parse(buf, size, &head);
		check_path((struct str){buf, size});
		check_ranges((struct str){buf, size}, 1000);
		return 0;
	}
	check_head(&head);
	check_body(&head, buf + head_len, size - head_len);
	return 0;
}

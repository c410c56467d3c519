/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replies, RFC 9110: which resource, which of its representations, and
 * whether all, some or none of it is sent.
 */
#include "apps/webserver/respond.h"
#include "apps/webserver/condition.h"
#include "apps/webserver/uri.h"
#include "apps/webserver/worker.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int status_of(int error)
{
	switch (-error) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
	case EINVAL: /* a name that this file system can't have */
	case EILSEQ:
		return 404;
	case EACCES:
	case EPERM:
	case EXDEV: /* out of the site */
	case ELOOP:
	case EISDIR:
	case ENXIO:
		return 403;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return 503;
	}
	return 500;
}

static void respond_redirect(struct worker *w, size_t len, struct str query)
{
	struct text *t = &w->text;

	respond_begin(w, 301);
	/* Rebuilt, not repeated: "//host" must not become a location. */
	text_cstr(t, "Location: /");
	uri_encode(t, (struct str){w->path, len});
	text_char(t, '/');
	if (query.at) {
		text_char(t, '?');
		text_str(t, query);
	}
	text_cstr(t, "\r\n");
	if (t->overflow || t->cap - t->len < 512)
		respond_error(w, 414, false);
	else
		respond_page(w);
}

/* A file as found, and which of its siblings is sent in its place. */
struct choice {
	const char *type;
	unsigned siblings, coding;
};

static void begin_entity(struct worker *w, int status, const struct choice *c)
{
	const struct file *file = w->reply.file;

	respond_begin(w, status);
	text_add(&w->text, file->fields, file->fields_len);
	if (c->siblings)
		text_cstr(&w->text, "Vary: Accept-Encoding\r\n");
	if (c->coding && status != 304)
		text_cstr(&w->text, c->coding == SIBLING_BR
					? "Content-Encoding: br\r\n"
					: "Content-Encoding: gzip\r\n");
}

static void add_type(struct text *t, const char *type)
{
	text_cstr(t, "Content-Type: ");
	text_cstr(t, type);
	text_cstr(t, "\r\n");
}

static void add_content_range(
    struct text *t, const struct range *r, uint64_t size)
{
	text_cstr(t, "Content-Range: bytes ");
	if (r) {
		text_number(t, r->first);
		text_char(t, '-');
		text_number(t, r->last);
	} else {
		text_char(t, '*');
	}
	text_char(t, '/');
	text_number(t, size);
	text_cstr(t, "\r\n");
}

static void respond_whole(struct worker *w, const struct choice *c)
{
	uint64_t size = w->reply.file->size;

	if (w->reply.file->whole_len && !c->siblings) {
		respond_begin(w, 200);
		text_add(
		    &w->text, w->reply.file->fields, w->reply.file->whole_len);
		respond_end_text(w);
	} else {
		begin_entity(w, 200, c);
		add_type(&w->text, c->type);
		respond_end(w, size);
	}
	if (w->head.method == HTTP_GET)
		w->reply.segment[0].len = size;
}

static void respond_range(
    struct worker *w, const struct choice *c, const struct range *range)
{
	uint64_t len = range->last - range->first + 1;

	begin_entity(w, 206, c);
	add_type(&w->text, c->type);
	add_content_range(&w->text, range, w->reply.file->size);
	respond_end(w, len);
	w->reply.segment[0].offset = range->first;
	w->reply.segment[0].len = len;
}

/* Unlikely in a file, and not to be foreseen by who wrote the file. */
static uint64_t boundary_of(struct worker *w)
{
	uint64_t x = (uintptr_t)w ^ (uint64_t)w->now << 20 ^ (uint64_t)w->time;

	for (size_t i = 0; i < w->reply.file->etag.len; i++)
		x = (x ^ (unsigned char)w->reply.file->etag.at[i]) *
		    0x100000001b3u;
	return x ^ x >> 29;
}

/* Text between parts; built in w->path, which has served its purpose. */
static void add_part(struct worker *w, struct text *t, uint64_t boundary,
    const char *type, const struct range *range)
{
	text_cstr(t, "\r\n--toril-");
	text_hex(t, boundary);
	if (!range) {
		text_cstr(t, "--\r\n");
		return;
	}
	text_cstr(t, "\r\n");
	add_type(t, type);
	add_content_range(t, range, w->reply.file->size);
	text_cstr(t, "\r\n");
}

static void respond_ranges(
    struct worker *w, const struct choice *c, const struct range *range, int n)
{
	struct text parts = {w->path, 0, sizeof(w->path), false};
	uint64_t total = 0, boundary = boundary_of(w);
	struct segment *s = w->reply.segment;

	for (int i = 0; i <= n; i++) {
		size_t before = parts.len;

		s[i] = (struct segment){0};
		add_part(
		    w, &parts, boundary, c->type, i < n ? range + i : NULL);
		s[i].text = parts.len - before;
		if (i == n)
			break;
		s[i].offset = range[i].first;
		s[i].len = range[i].last - range[i].first + 1;
		total += s[i].len;
	}
	struct segment first = s[0];

	begin_entity(w, 206, c);
	text_cstr(&w->text, "Content-Type: multipart/byteranges; "
			    "boundary=toril-");
	text_hex(&w->text, boundary);
	text_cstr(&w->text, "\r\n");
	respond_end(w, parts.len + total);
	s[0] = first;
	s[0].text += w->reply.head;
	w->reply.segments = n + 1;
	text_add(&w->text, parts.at, parts.len);
}

static void respond_unsatisfiable(struct worker *w)
{
	uint64_t size = w->reply.file->size;

	respond_drop_file(w);
	respond_begin(w, 416);
	add_content_range(&w->text, NULL, size);
	respond_page(w);
}

static void respond_body(struct worker *w, const struct choice *c)
{
	const struct file *file = w->reply.file;
	struct str field = w->head.field[FIELD_RANGE];
	struct range range[RANGES_MAX];
	int n = RANGE_IGNORE;

	if (field.at && w->head.method == HTTP_GET &&
	    condition_if_range(&w->head, file->etag, file->id.mtime.tv_sec))
		n = range_parse(field, file->size, range);
	if (n == RANGE_IGNORE)
		respond_whole(w, c);
	else if (n == RANGE_UNSATISFIABLE)
		respond_unsatisfiable(w);
	else if (n == 1)
		respond_range(w, c, range);
	else
		respond_ranges(w, c, range, n);
}

/* Puts the best sibling into the reply instead of the file. */
static void choose_sibling(struct worker *w, size_t len, struct choice *c)
{
	struct file *sibling;

	c->coding =
	    coding_choose(w->head.field[FIELD_ACCEPT_ENCODING], c->siblings);
	if (!c->coding)
		return;
	memcpy(w->path + len, c->coding == SIBLING_BR ? ".br" : ".gz", 4);
	if (cache_get(&w->cache, w->path, len + 3, w->now, &sibling) < 0) {
		c->coding = 0;
		return;
	}
	file_put(w->reply.file);
	w->reply.file = sibling;
}

/* `w->path`, `len` bytes of it, is what reply.file was opened by. */
static void respond_file(struct worker *w, size_t len)
{
	struct file *file = w->reply.file;
	struct choice c = {file->type, file->siblings, 0};
	int status;

	if (c.siblings)
		choose_sibling(w, len, &c);
	file = w->reply.file;
	status = condition_check(&w->head, file->etag, file->id.mtime.tv_sec);
	if (status == 304) {
		begin_entity(w, 304, &c);
		respond_end_header(w);
	} else if (status) {
		respond_error(w, status, false);
	} else {
		respond_body(w, &c);
	}
}

/* No index: a list of the directory, if wanted. */
static void respond_no_index(struct worker *w, size_t len)
{
	int parent, fd;

	w->path[len] = '\0';
	fd = site_resolve(&w->config->site, w->path, &parent);
	site_put(&w->config->site, parent);
	if (fd < 0) {
		respond_error(w, status_of(fd), false);
	} else if (!w->config->listing) {
		close(fd);
		respond_error(w, 403, false);
	} else {
		respond_listing(w, fd, (struct str){w->path, len});
	}
}

static void respond_directory(struct worker *w, size_t len)
{
	static const char index[] = "index.html";
	int r;

	memcpy(w->path + len, index, sizeof(index));
	len += sizeof(index) - 1;
	r = cache_get(&w->cache, w->path, len, w->now, &w->reply.file);
	if (r == 0)
		respond_file(w, len);
	else if (r == -ENOENT || r == -EISDIR)
		respond_no_index(w, len - (sizeof(index) - 1));
	else
		respond_error(w, status_of(r), false);
}

static void respond_path(struct worker *w)
{
	struct str query;
	int r, len;

	len = uri_decode(w->head.target, w->path, PATH_MAX, &query);
	if (len < 0) {
		respond_error(w, -len, false);
		return;
	}
	if (!len || w->path[len - 1] == '/') {
		respond_directory(w, len);
		return;
	}
	r = cache_get(&w->cache, w->path, len, w->now, &w->reply.file);
	if (r == 0)
		respond_file(w, len);
	else if (r == -EISDIR)
		respond_redirect(w, len, query);
	else
		respond_error(w, status_of(r), false);
}

void respond(struct worker *w)
{
	struct str expect = w->head.field[FIELD_EXPECT];

	if (w->head.method == HTTP_UNKNOWN)
		respond_error(w, 501, false);
	else if (expect.at && w->head.minor >= 1 &&
		 !str_equal_nocase(expect, STR("100-continue")))
		respond_error(w, 417, false);
	else if (w->head.method == HTTP_NOT_ALLOWED)
		respond_error(w, 405, false);
	else
		respond_path(w);
}

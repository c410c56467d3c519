/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of a directory as HTML: names, sizes, dates, folders first.
 * Names that begin with a dot are left out.
 */
#include "apps/webserver/respond.h"
#include "apps/webserver/uri.h"
#include "apps/webserver/worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX 10000

struct entry {
	bool folder;
	uint64_t size;
	time_t modified;
	char name[];
};

struct listing {
	struct entry **entry;
	size_t count;
	size_t bytes; /* of names */
};

static int compare(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a;
	const struct entry *y = *(struct entry *const *)b;

	if (x->folder != y->folder)
		return x->folder ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int listing_add(struct listing *l, int dir, const char *name)
{
	size_t len = strlen(name), n = l->count;
	struct entry **grown, *entry;
	struct stat st;

	/* Gone since, or a dangling symlink: not worth a line. */
	if (fstatat(dir, name, &st, 0) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return 0;
	if ((n & (n - 1)) == 0) { /* doubles: full at each power of two */
		grown = realloc(l->entry, (n ? 2 * n : 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		l->entry = grown;
	}
	entry = malloc(sizeof(*entry) + len + 1);
	if (!entry)
		return -ENOMEM;
	entry->folder = S_ISDIR(st.st_mode);
	entry->size = st.st_size;
	entry->modified = st.st_mtime;
	memcpy(entry->name, name, len + 1);
	l->entry[l->count++] = entry;
	l->bytes += len;
	return 0;
}

static int listing_read(struct listing *l, int fd)
{
	DIR *dir = fdopendir(fd);
	struct dirent *d;
	int r = 0;

	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	while (r == 0 && l->count < NAMES_MAX && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			r = listing_add(l, dirfd(dir), d->d_name);
	closedir(dir);
	return r;
}

static void add_html(struct text *t, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		switch (s.at[i]) {
		case '&':
			text_cstr(t, "&amp;");
			break;
		case '<':
			text_cstr(t, "&lt;");
			break;
		case '>':
			text_cstr(t, "&gt;");
			break;
		default:
			text_char(t, s.at[i]);
		}
	}
}

static void add_entry(struct text *t, const struct entry *e)
{
	/* "./": a name with a colon would look like a scheme. */
	text_cstr(t, "<tr><td><a href=\"./");
	uri_encode(t, str_from(e->name));
	text_cstr(t, e->folder ? "/\">" : "\">");
	add_html(t, str_from(e->name));
	text_cstr(t, e->folder ? "/</a><td><td>" : "</a><td>");
	if (!e->folder) {
		text_number(t, e->size);
		text_cstr(t, "<td>");
	}
	date_http(t, e->modified);
	text_char(t, '\n');
}

static void add_page(struct text *t, const struct listing *l, struct str path)
{
	text_cstr(t, "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>/");
	add_html(t, path);
	text_cstr(t, "</title>\n<h1>/");
	add_html(t, path);
	text_cstr(t, "</h1>\n<table>\n");
	if (path.len)
		text_cstr(t, "<tr><td><a href=\"../\">../</a>\n");
	for (size_t i = 0; i < l->count; i++)
		add_entry(t, l->entry[i]);
	text_cstr(t, "</table>\n");
	if (l->count == NAMES_MAX)
		text_cstr(t, "<p>There are more.\n");
}

static struct file *listing_page(struct listing *l, struct str path)
{
	/* A byte of a name takes up to 3 in the link and 5 in the text. */
	size_t cap = 512 + path.len * 10 + l->count * 128 + l->bytes * 8;
	struct text t = {malloc(cap), 0, cap, false};

	if (!t.at)
		return NULL;
	if (l->count)
		qsort(l->entry, l->count, sizeof(*l->entry), compare);
	add_page(&t, l, path);
	return file_from_memory(t.at, t.len);
}

void respond_listing(struct worker *w, int fd, struct str path)
{
	struct listing l = {0};
	int r = listing_read(&l, fd);

	w->reply.file = r < 0 ? NULL : listing_page(&l, path);
	for (size_t i = 0; i < l.count; i++)
		free(l.entry[i]);
	free(l.entry);
	if (!w->reply.file) {
		respond_error(w, 503, false);
		return;
	}
	respond_begin(w, 200);
	text_cstr(&w->text, "Content-Type: text/html; charset=utf-8\r\n");
	respond_end(w, w->reply.file->size);
	if (w->head.method == HTTP_GET)
		w->reply.segment[0].len = w->reply.file->size;
}

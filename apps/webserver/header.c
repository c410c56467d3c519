/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reply headers, from the status line to the empty line, and the short pages
 * that go with a refusal or a redirect.
 */
#include "apps/webserver/respond.h"
#include "apps/webserver/worker.h"

#include <string.h>

static const char *reason_of(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 206:
		return "Partial Content";
	case 301:
		return "Moved Permanently";
	case 304:
		return "Not Modified";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 412:
		return "Precondition Failed";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 416:
		return "Range Not Satisfiable";
	case 417:
		return "Expectation Failed";
	case 431:
		return "Request Header Fields Too Large";
	case 501:
		return "Not Implemented";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	}
	return "Internal Server Error";
}

static void add_date(struct worker *w)
{
	if (w->date_time != w->time) {
		struct text t = {w->date, 0, sizeof(w->date), false};

		text_cstr(&t, DATE_BEGIN);
		date_http(&t, w->time);
		text_cstr(&t, DATE_END);
		w->date_time = w->time;
	}
	text_add(&w->text, w->date, sizeof(w->date));
}

void respond_begin(struct worker *w, int status)
{
	struct text *t = &w->text;

	w->reply.status = status;
	*t = (struct text){w->out, 0, sizeof(w->out), false};
	if (status == 200) {
		text_cstr(t, "HTTP/1.1 200 OK");
	} else {
		text_cstr(t, "HTTP/1.1 ");
		text_digits(t, status, 3);
		text_char(t, ' ');
		text_cstr(t, reason_of(status));
	}
	add_date(w);
	if (w->reply.close)
		text_cstr(t, "Connection: close\r\n");
	else if (w->head.minor == 0)
		text_cstr(t, "Connection: keep-alive\r\n");
}

void respond_end_text(struct worker *w)
{
	struct reply *r = &w->reply;

	r->text = w->out;
	r->head = w->text.len;
	r->segments = 1;
	r->segment[0] = (struct segment){.text = r->head};
}

void respond_end_header(struct worker *w)
{
	text_cstr(&w->text, "\r\n");
	respond_end_text(w);
}

void respond_end(struct worker *w, uint64_t length)
{
	text_cstr(&w->text, "Content-Length: ");
	text_number(&w->text, length);
	text_cstr(&w->text, "\r\n");
	respond_end_header(w);
}

/* A page for people, which says no more than the status line does. */
void respond_page(struct worker *w)
{
	char page[160];
	struct text t = {page, 0, sizeof(page), false};
	const char *reason = reason_of(w->reply.status);

	text_cstr(&t, "<!DOCTYPE html>\n<title>");
	for (int i = 0; i < 2; i++) {
		text_number(&t, w->reply.status);
		text_char(&t, ' ');
		text_cstr(&t, reason);
		text_cstr(&t, i ? "</h1>\n" : "</title>\n<h1>");
	}
	text_cstr(&w->text, "Content-Type: text/html; charset=utf-8\r\n");
	respond_end(w, t.len);
	if (w->head.method == HTTP_HEAD)
		return;
	text_add(&w->text, page, t.len);
	w->reply.segment[0].text = w->text.len;
}

void respond_drop_file(struct worker *w)
{
	file_put(w->reply.file);
	w->reply.file = NULL;
}

void respond_error(struct worker *w, int status, bool close)
{
	respond_drop_file(w);
	w->reply.close |= close;
	respond_begin(w, status);
	if (status == 405)
		text_cstr(&w->text, "Allow: GET, HEAD\r\n");
	respond_page(w);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection's life: HEAD until a request head is complete, BODY while its
 * body is skipped, SEND while a reply is on its way, and back; at the end
 * LINGER, where we have said our last word and wait for the client's, since
 * closing with input unread would reset the connection and might destroy the
 * reply on its way (RFC 9112, 9.6).
 *
 * While a reply is being sent nothing is read: a client that pipelines
 * without reading stops itself.
 */
#include "apps/webserver/conn.h"
#include "apps/webserver/respond.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct pending {
	struct reply reply;
	struct log_entry *entry; /* in `rest`; NULL without a log */
	char rest[];             /* the reply's text, then the entry */
};

static void timer_stop(struct worker *w, struct conn *c)
{
	struct timer_list *list = &w->timer[c->timer];

	*(c->prev ? &c->prev->next : &list->first) = c->next;
	*(c->next ? &c->next->prev : &list->last) = c->prev;
}

static void timer_append(struct worker *w, struct conn *c, enum timer timer)
{
	struct timer_list *list = &w->timer[timer];

	c->timer = timer;
	c->deadline = w->now + list->ms;
	c->next = NULL;
	c->prev = list->last;
	*(c->prev ? &c->prev->next : &list->first) = c;
	list->last = c;
}

static void timer_start(struct worker *w, struct conn *c, enum timer timer)
{
	timer_stop(w, c);
	timer_append(w, c, timer);
}

static void conn_want(struct worker *w, struct conn *c, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = c};

	if (c->want == events)
		return;
	if (epoll_ctl(w->epoll, EPOLL_CTL_MOD, c->fd, &ev) < 0)
		conn_close(w, c);
	else
		c->want = events;
}

void conn_open(struct worker *w, int fd, const union address *peer)
{
	struct conn *c = calloc(1, sizeof(*c));
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

	if (!c)
		goto fail;
	c->fd = fd;
	c->want = EPOLLIN;
	c->peer = *peer;
	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		goto fail;
	timer_append(w, c, TIMER_REQUEST);
	w->conns++;
	return;
fail:
	free(c);
	close(fd);
}

static void pending_drop(struct worker *w, struct conn *c)
{
	struct pending *p = c->pending;

	if (!p)
		return;
	if (p->entry)
		log_write(
		    &w->log, p->entry, reply_body_sent(&p->reply), w->now);
	file_put(p->reply.file);
	free(p);
	c->pending = NULL;
}

static void saved_drop(struct conn *c)
{
	free(c->saved);
	c->saved = NULL;
	c->saved_len = 0;
}

/* The struct lives on to the end of the turn: the events of this turn may
 * still point at it. */
void conn_close(struct worker *w, struct conn *c)
{
	if (c->state == CONN_DEAD)
		return;
	pending_drop(w, c);
	saved_drop(c);
	free(c->head);
	c->head = NULL;
	timer_stop(w, c);
	close(c->fd);
	c->state = CONN_DEAD;
	c->next = w->dead;
	w->dead = c;
	w->conns--;
	if (!w->accepting && !w->stopping)
		worker_accept_from(w, true);
}

/* A copy of the worker's reply, for when the socket has room again. */
static int pending_save(struct worker *w, struct conn *c)
{
	size_t text = reply_text_left(&w->reply);
	size_t at = (text + 7) & ~(size_t)7, entry = 0;
	struct pending *p;

	if (w->entry)
		entry = offsetof(struct log_entry, text) + w->entry->len;
	p = malloc(sizeof(*p) + at + entry);
	if (!p)
		return -ENOMEM;
	p->reply = w->reply;
	p->reply.text = memcpy(p->rest, w->reply.text, text);
	p->entry = NULL;
	if (entry) {
		p->entry = (struct log_entry *)(p->rest + at);
		memcpy(p->entry, w->entry, entry);
	}
	c->pending = p;
	return 0;
}

static void reply_done(struct worker *w, struct conn *c, bool closing)
{
	if (!closing && !w->stopping) {
		c->state = CONN_HEAD;
		c->scanned = 0;
		conn_want(w, c, EPOLLIN);
		if (c->state != CONN_DEAD)
			timer_start(w, c, TIMER_IDLE);
		return;
	}
	if (!c->linger || shutdown(c->fd, SHUT_WR) < 0) {
		conn_close(w, c);
		return;
	}
	c->state = CONN_LINGER;
	saved_drop(c);
	timer_start(w, c, TIMER_LINGER);
	conn_want(w, c, EPOLLIN);
}

/* Sends the worker's reply; what the socket does not take is saved. */
static void conn_reply(struct worker *w, struct conn *c)
{
	struct reply *reply = &w->reply;
	int r;

	if (w->entry)
		log_prepare(
		    w->entry, &c->peer, &w->head, reply->status, w->time);
	r = reply_send(reply, c->fd);
	if (r == 0 && pending_save(w, c) == 0) {
		reply->file = NULL; /* it is the pending one's now */
		c->state = CONN_SEND;
		timer_start(w, c, TIMER_SEND);
		conn_want(w, c, EPOLLOUT);
		return;
	}
	if (w->entry)
		log_write(&w->log, w->entry, reply_body_sent(reply), w->now);
	file_put(reply->file);
	reply->file = NULL;
	if (r <= 0)
		conn_close(w, c);
	else
		reply_done(w, c, reply->close);
}

static void reply_reset(struct worker *w)
{
	w->reply.file = NULL;
	w->reply.sent = 0;
	w->reply.current = 0;
	w->reply.close = !w->head.keep_alive || w->stopping;
}

static void conn_refuse(struct worker *w, struct conn *c, int status)
{
	c->linger = true;
	reply_reset(w);
	respond_error(w, status, true);
	conn_reply(w, c);
}

static void conn_respond(struct worker *w, struct conn *c)
{
	reply_reset(w);
	respond(w);
	conn_reply(w, c);
}

/* Keeps the head until the body is in.  Whoever asks first whether to send a
 * body (Expect) has the answer at once: the final one. */
static void conn_body_begin(
    struct worker *w, struct conn *c, const char *buf, size_t len)
{
	int status = http_body_start(&c->body, &w->head, BODY_MAX);

	if (status) {
		conn_refuse(w, c, status);
		return;
	}
	if (w->head.field[FIELD_EXPECT].at && w->head.minor >= 1) {
		c->linger = true;
		w->head.keep_alive = false;
		conn_respond(w, c);
		return;
	}
	c->head = malloc(len);
	if (!c->head) {
		conn_close(w, c);
		return;
	}
	c->head_len = len;
	memcpy(c->head, buf, len);
	c->state = CONN_BODY;
}

/* What came last ends a head, so there is one: most often one in all, and its
 * parser finds the end, too.  0 if it has to be looked for, or is refused. */
static size_t head_at_once(
    struct worker *w, struct conn *c, const char *buf, size_t len)
{
	if (c->scanned || len < 4 || memcmp(buf + len - 4, "\r\n\r\n", 4) ||
	    http_head_parse(buf, len, &w->head))
		return 0;
	return w->head.length;
}

/* Takes a head off the input.  Returns the bytes used, 0 for none. */
static size_t conn_head(
    struct worker *w, struct conn *c, const char *buf, size_t len)
{
	size_t n;
	int status;

	/* Empty lines before a request line are skipped (RFC 9112, 2.2). */
	if (len >= 2 && buf[0] == '\r' && buf[1] == '\n') {
		c->scanned = 0;
		return 2;
	}
	n = head_at_once(w, c, buf, len);
	status = 0;
	if (!n) {
		n = http_head_find(buf, len, &c->scanned);
		if (!n && len < IN_SIZE)
			return 0;
		c->scanned = 0;
		status = http_head_parse(buf, n ? n : len, &w->head);
	}
	if (!n)
		status = w->head.line.len > HTTP_TARGET_MAX ? 414 : 431;
	if (status)
		conn_refuse(w, c, status);
	else if (w->head.chunked || w->head.content_length)
		conn_body_begin(w, c, buf, n);
	else
		conn_respond(w, c);
	return n ? n : len;
}

static size_t conn_body(
    struct worker *w, struct conn *c, const char *buf, size_t len)
{
	ssize_t n = http_body_feed(&c->body, buf, len);
	char *head = c->head;

	if (n >= 0 && c->body.state != BODY_DONE)
		return n;
	c->head = NULL;
	http_head_parse(head, c->head_len, &w->head);
	if (n < 0)
		conn_refuse(w, c, (int)-n);
	else
		conn_respond(w, c);
	free(head);
	return n < 0 ? len : (size_t)n;
}

/* Keeps what was not used, for later. */
static void conn_save(
    struct worker *w, struct conn *c, const char *buf, size_t len)
{
	char *saved = NULL;

	if (len) {
		saved = malloc(len);
		if (!saved) {
			conn_close(w, c);
			return;
		}
		memcpy(saved, buf, len);
	}
	saved_drop(c);
	c->saved = saved;
	c->saved_len = len;
}

/* Input is in w->in: handles all the requests that are complete. */
static void conn_process(struct worker *w, struct conn *c, size_t len)
{
	size_t at = 0;

	saved_drop(c);
	while (at < len && c->state <= CONN_BODY) {
		size_t n = c->state == CONN_HEAD
			       ? conn_head(w, c, w->in + at, len - at)
			       : conn_body(w, c, w->in + at, len - at);

		if (!n)
			break;
		at += n;
	}
	if (c->state > CONN_SEND)
		return;
	if (at < len)
		conn_save(w, c, w->in + at, len - at);
	/* The clock of a request runs from its first byte, and is not wound
	 * up by the following ones. */
	if (c->timer == TIMER_IDLE && (c->saved || c->state == CONN_BODY))
		timer_start(w, c, TIMER_REQUEST);
}

static void conn_receive(struct worker *w, struct conn *c)
{
	size_t have = c->saved_len;
	ssize_t n;

	if (have)
		memcpy(w->in, c->saved, have);
	n = recv(c->fd, w->in + have, IN_SIZE - have, 0);
	if (n > 0)
		conn_process(w, c, have + n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		conn_close(w, c);
}

static void conn_send(struct worker *w, struct conn *c)
{
	uint64_t before = c->pending->reply.sent;
	int r = reply_send(&c->pending->reply, c->fd);
	bool closing = c->pending->reply.close;
	size_t len = c->saved_len;

	if (r < 0) {
		conn_close(w, c);
		return;
	}
	if (r == 0) {
		if (c->pending->reply.sent > before)
			timer_start(w, c, TIMER_SEND);
		return;
	}
	pending_drop(w, c);
	reply_done(w, c, closing);
	if (c->state != CONN_HEAD || !len)
		return;
	memcpy(w->in, c->saved, len);
	conn_process(w, c, len);
}

/* Waits for the client's end; the timer is the limit. */
static void conn_drain(struct worker *w, struct conn *c)
{
	ssize_t n = recv(c->fd, w->in, IN_SIZE, 0);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		conn_close(w, c);
}

void conn_event(struct worker *w, struct conn *c)
{
	switch (c->state) {
	case CONN_HEAD:
	case CONN_BODY:
		conn_receive(w, c);
		break;
	case CONN_SEND:
		conn_send(w, c);
		break;
	case CONN_LINGER:
		conn_drain(w, c);
		break;
	case CONN_DEAD:
		break;
	}
}

void conn_expire(struct worker *w, struct conn *c)
{
	if (c->timer != TIMER_REQUEST || (!c->saved && !c->head)) {
		conn_close(w, c);
		return;
	}
	memset(&w->head, 0, sizeof(w->head));
	w->head.minor = 1;
	conn_refuse(w, c, 408);
}

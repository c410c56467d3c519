/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --metrics: a web server for one page, /metrics, in Prometheus's text format
 * 0.0.4, on the launcher's own loop.
 *
 * A client sends one request and is answered once, whole or not at all: its
 * socket's buffer takes the answer, which is a few KiB.  Few are served at a
 * time, and each only for seconds; who comes then waits in the backlog.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/run.h"
#include "host/stats.h"

#define CLIENTS_MAX  8
#define REQUEST_MAX  4096
#define PATIENCE_MS  10000
#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

static struct client {
	struct loop_fd io; /* fd 0: free, for 0 is never a client's */
	struct loop_timer patience;
	char request[REQUEST_MAX + 1];
	size_t len;
	bool answered;
} clients[CLIENTS_MAX];

static struct loop_fd server = {.fd = -1};

static void client_end(struct client *c)
{
	loop_timer_cancel(&c->patience);
	loop_del(&c->io);
	close(c->io.fd);
	c->io.fd = 0;
	loop_change(&server, EPOLLIN);
}

static void client_late(struct loop_timer *timer)
{
	client_end(container_of(timer, struct client, patience));
}

static void answer(struct client *c, const char *status, const char *type,
    const char *body, size_t len)
{
	bool head = !strncmp(c->request, "HEAD ", 5);
	char *text = must_print("HTTP/1.1 %s\r\nContent-Type: %s\r\n"
				"Content-Length: %zu\r\nConnection: close\r\n"
				"\r\n%s",
	    status, type, len, head ? "" : body);

	if (send(c->io.fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		remark("metrics: %s", strerror(errno));
	free(text);
	c->answered = true;
	shutdown(c->io.fd, SHUT_WR); /* it closes first: nothing is lost */
}

static void answer_metrics(struct client *c)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return;
	stats_print(&run, to);
	fclose(to);
	answer(c, "200 OK", CONTENT_TYPE, text, len);
	free(text);
}

static void client_answer(struct client *c)
{
	static const char plain[] = "text/plain";
	static const char gone[] = "What there is is at /metrics.\n";
	static const char bad[] = "GET and HEAD are answered.\n";
	const char *path = c->request;

	if (!strncmp(path, "GET ", 4))
		path += 4;
	else if (!strncmp(path, "HEAD ", 5))
		path += 5;
	else {
		answer(c, "405 Method Not Allowed\r\nAllow: GET, HEAD", plain,
		    bad, strlen(bad));
		return;
	}
	if (!strncmp(path, "/metrics", 8) && strchr(" ?", path[8]))
		answer_metrics(c);
	else
		answer(c, "404 Not Found", plain, gone, strlen(gone));
}

static void client_ready(struct loop_fd *io, uint32_t events)
{
	struct client *c = container_of(io, struct client, io);
	ssize_t got;

	(void)events;
	if (c->answered)
		c->len = 0; /* until it closes */
	got = recv(
	    io->fd, c->request + c->len, REQUEST_MAX - c->len, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		client_end(c);
		return;
	}
	c->len += (size_t)got;
	c->request[c->len] = 0;
	if (c->answered)
		return;
	if (strstr(c->request, "\r\n\r\n"))
		client_answer(c);
	else if (c->len == REQUEST_MAX)
		client_end(c);
}

static void client_start(struct client *c, int fd)
{
	memset(c, 0, sizeof(*c));
	c->io.fd = fd;
	c->io.ready = client_ready;
	c->patience.fire = client_late;
	if (loop_add(&c->io, EPOLLIN)) {
		close(fd);
		c->io.fd = 0;
		return;
	}
	loop_timer_set(&c->patience, PATIENCE_MS);
}

static void server_ready(struct loop_fd *io, uint32_t events)
{
	int fd;

	(void)events;
	for (int i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i].io.fd)
			continue;
		fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			client_start(&clients[i], fd);
		return;
	}
	loop_change(io, 0); /* until client_end() */
}

static int server_bind(union address *a)
{
	socklen_t len = address_len(a);
	int one = 1;

	server.ready = server_ready;
	server.fd = socket(
	    a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (server.fd < 0)
		return -errno;
	setsockopt(server.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(server.fd, &a->sa, len) || listen(server.fd, CLIENTS_MAX) ||
	    getsockname(server.fd, &a->sa, &len))
		return -errno;
	return loop_add(&server, EPOLLIN);
}

int metrics_open(struct run *r)
{
	struct publish_option *p = &r->opt.metrics_at;
	char text[ADDRESS_TEXT];
	int ret;

	if (!r->opt.metrics)
		return 0;
	ret = server_bind(&p->address);
	address_print(&p->address, text);
	if (ret)
		complain(
		    "cannot serve metrics on %s: %s", text, strerror(-ret));
	else if (p->any_port)
		dprintf(STDERR_FILENO, "%s -> metrics\n", text);
	return ret;
}

void metrics_finish(void)
{
	if (server.fd < 0)
		return;
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (clients[i].io.fd)
			client_end(&clients[i]);
	loop_del(&server);
	close(server.fd);
	server.fd = -1;
}

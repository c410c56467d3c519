/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load PORT MILLISECONDS CONNECTIONS WHAT [ARG]: a client on the host.
 *
 *	echo BYTES	send, and get them back
 *	setup		connect, 1 byte there and back, close
 *	http PATH	requests on connections that stay
 *	close PATH	each request on a connection of its own
 *	sink BYTES	bench/serve.c takes so many and answers
 *	source BYTES	it sends so many
 *
 * Prints operations a second, all connections together, counted once each has
 * done one, up to the last that ended in time.  An answer must have the length
 * of the first, and what HTTP answers must be a success.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FILLER (1u << 20)

struct conn {
	int fd;
	size_t sent, got;
	bool full; /* of what was sent: wait for room */
	bool once; /* done one */
};

static struct sockaddr_in server = {.sin_family = AF_INET};
static char prefix[1024], filler[FILLER], buf[FILLER];
static size_t prefix_len, request_len, answer_len;
static bool closes, is_http;
static int poll_fd;
static unsigned warm, connections;
static unsigned long done;
static double begun, last;

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int dial(void)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof(server)))
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void conn_watch(struct conn *c, int op)
{
	struct epoll_event event = {
	    .events = EPOLLIN | (c->full ? EPOLLOUT : 0), .data.ptr = c};

	if (epoll_ctl(poll_fd, op, c->fd, &event))
		die("epoll_ctl");
}

/* What comes at `at` of a request. */
static ssize_t send_part(struct conn *c)
{
	size_t left = request_len - c->sent;

	if (c->sent < prefix_len)
		return send(c->fd, prefix + c->sent, prefix_len - c->sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	return send(c->fd, filler, left < FILLER ? left : FILLER,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void conn_send(struct conn *c)
{
	bool was = c->full;

	c->full = false;
	while (c->sent < request_len && !c->full) {
		ssize_t n = send_part(c);

		if (n > 0)
			c->sent += (size_t)n;
		else if (errno == EAGAIN)
			c->full = true;
		else
			die("send");
	}
	if (c->full != was)
		conn_watch(c, EPOLL_CTL_MOD);
}

static void conn_start(struct conn *c)
{
	c->fd = dial();
	c->full = false;
	c->sent = c->got = 0;
	conn_watch(c, EPOLL_CTL_ADD);
}

static void conn_done(struct conn *c)
{
	last = now();
	done++;
	if (!c->once) {
		c->once = true;
		if (++warm == connections) {
			begun = last;
			done = 0;
		}
	}
	c->sent = c->got = 0;
	if (closes) {
		close(c->fd);
		conn_start(c);
	}
	conn_send(c);
}

static void conn_receive(struct conn *c)
{
	ssize_t n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("recv");
	if (is_http && !c->got && n >= 12 && memcmp(buf + 8, " 200", 4)) {
		errno = EPROTO;
		die("not 200");
	}
	c->got += (size_t)n;
	if (c->got > answer_len) {
		errno = EPROTO;
		die("more than the answer");
	}
	if (c->got == answer_len && c->sent == request_len)
		conn_done(c);
}

static void turn(void)
{
	struct epoll_event events[64];
	int n = epoll_wait(poll_fd, events, 64, 20000);

	if (n == 0)
		errno = ETIMEDOUT;
	if (n <= 0)
		die("wait");
	for (int i = 0; i < n; i++) {
		if (events[i].events & EPOLLOUT)
			conn_send(events[i].data.ptr);
		if (events[i].events & ~(unsigned)EPOLLOUT)
			conn_receive(events[i].data.ptr);
	}
}

/* The length of an answer, header and all, from one that ends. */
static void learn_answer(void)
{
	struct conn c = {.fd = dial()};
	char *body, *length;
	ssize_t n;

	while (c.sent < request_len)
		c.sent += (size_t)send_part(&c);
	for (;;) {
		n = recv(c.fd, buf + c.got, sizeof(buf) - 1 - c.got, 0);
		if (n <= 0)
			die("first answer");
		c.got += (size_t)n;
		buf[c.got] = 0;
		body = strstr(buf, "\r\n\r\n");
		if (body)
			break;
	}
	length = strcasestr(buf, "\r\nContent-Length: ");
	if (!length || length > body) {
		errno = EPROTO;
		die("no length");
	}
	answer_len = (size_t)(body + 4 - buf) + strtoul(length + 18, NULL, 10);
	close(c.fd);
}

static void bulk(char kind, unsigned long bytes)
{
	prefix[0] = kind;
	memcpy(prefix + 1, &bytes, 8);
	prefix_len = 9;
	request_len = kind == 's' ? 9 + bytes : 9;
	answer_len = kind == 's' ? 1 : bytes;
}

static void plan(const char *what, const char *arg)
{
	if (!strcmp(what, "echo")) {
		answer_len = request_len = strtoul(arg, NULL, 10);
	} else if (!strcmp(what, "setup")) {
		answer_len = request_len = 1;
		closes = true;
	} else if (!strcmp(what, "http") || !strcmp(what, "close")) {
		is_http = true;
		closes = *what == 'c';
		prefix_len = request_len = (size_t)snprintf(prefix,
		    sizeof(prefix), "GET %s HTTP/1.1\r\nHost: bench\r\n%s\r\n",
		    arg, closes ? "Connection: close\r\n" : "");
		learn_answer();
	} else {
		bulk(!strcmp(what, "sink") ? 's' : 'd', strtoul(arg, NULL, 10));
	}
}

int main(int argc, char **argv)
{
	struct rlimit files;
	struct conn *list;
	double until;

	if (argc < 5)
		return 2;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	server.sin_port = htons((uint16_t)atoi(argv[1]));
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	connections = (unsigned)atoi(argv[3]);
	list = calloc(connections, sizeof(*list));
	poll_fd = epoll_create1(EPOLL_CLOEXEC);
	plan(argv[4], argc > 5 ? argv[5] : "");
	for (unsigned i = 0; i < connections; i++)
		conn_start(&list[i]);
	for (unsigned i = 0; i < connections; i++)
		conn_send(&list[i]);
	while (warm < connections)
		turn();
	until = begun + atof(argv[2]) / 1000;
	while (!done || last < until)
		turn();
	printf("%.3f\n", (double)done / (last - begun));
	return 0;
}

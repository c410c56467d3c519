/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's way out: a SOCKS 5 server that connects to what the --connect
 * rules allow, and nothing else.
 *
 * It takes exactly the handshake's bytes off the stream; whatever follows
 * stays with the carrier until the stream becomes a relay.
 */
#include "host/socks.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/lookup.h"
#include "host/relay.h"
#include "host/run.h"
#include "host/stats.h"

enum socks_state { GREETING, REQUEST, WAITING, FAILED };

struct socks {
	struct relay relay; /* its descriptor is the one that connects */
	struct vsock_stream *s;
	enum socks_state state;
	uint8_t msg[SOCKS_MESSAGE_MAX];
	size_t len;
	struct buf out;
	struct socks_request request;
	struct rule_pins to; /* addresses to try */
	unsigned tried;
	struct lookup *lookup;
	bool ended; /* the guest's half, before it was a relay */
};

static void socks_free(struct socks *k)
{
	if (k->lookup)
		lookup_cancel(k->lookup);
	buf_drop(&k->out);
	connection_give();
	loop_free(k);
}

static void socks_reply(struct socks *k, enum socks_reply reply)
{
	uint8_t msg[SOCKS_REPLY_MAX];

	buf_add(&k->out, msg, socks_reply_put(msg, reply, NULL));
	k->state = FAILED;
	vsock_in_ready(k->s);
	vsock_out_ready(k->s);
}

static void socks_relay_done(struct relay *r, int err)
{
	relay_stop(r, err != 0);
	stats_closed(STATS_OUT);
	socks_free(container_of(r, struct socks, relay));
}

/* Connected: from here on it is a relay, whose first bytes are the reply. */
static void socks_connected(struct socks *k, int fd)
{
	union address bound = {0};
	socklen_t len = sizeof(bound);
	uint8_t msg[SOCKS_REPLY_MAX];
	int one = 1, ret;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	getsockname(fd, &bound.sa, &len);
	k->relay.done = socks_relay_done;
	relay_head(&k->relay, msg, socks_reply_put(msg, SOCKS_OK, &bound.sa));
	ret = relay_start(
	    &k->relay, fd, RELAY_IN | RELAY_OUT | RELAY_SOCKET | RELAY_COUNT);
	if (ret) {
		relay_stop(&k->relay, true);
		socks_reply(k, SOCKS_FAILED);
		return;
	}
	stats_opened(STATS_OUT);
	if (k->ended)
		shutdown(fd, SHUT_WR);
	k->relay.s = k->s;
	k->s->user = &relay_user;
	k->s->arg = &k->relay;
	vsock_in_ready(k->s);
	vsock_out_ready(k->s);
}

static void socks_try(struct socks *k, int last);

static void socks_writable(struct loop_fd *io, uint32_t events)
{
	struct relay *r = container_of(io, struct relay, io);
	struct socks *k = container_of(r, struct socks, relay);
	int fd = io->fd, err = 0;
	socklen_t len = sizeof(err);

	(void)events;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	loop_del(io);
	io->fd = -1;
	if (!err) {
		socks_connected(k, fd);
		return;
	}
	close(fd);
	socks_try(k, -err);
}

static int socks_dial(struct socks *k, const struct in6_addr *to)
{
	union address a = {0};
	int ret;

	if (IN6_IS_ADDR_V4MAPPED(to)) {
		a.v4.sin_family = AF_INET;
		a.v4.sin_port = htons(k->request.port);
		memcpy(&a.v4.sin_addr, to->s6_addr + 12, 4);
	} else {
		a.v6.sin6_family = AF_INET6;
		a.v6.sin6_port = htons(k->request.port);
		a.v6.sin6_addr = *to;
	}
	k->relay.io.fd = socket(
	    a.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	k->relay.io.ready = socks_writable;
	if (k->relay.io.fd < 0)
		return -errno;
	ret = connect(k->relay.io.fd, &a.sa, address_len(&a)) ? -errno : 0;
	if (!ret || ret == -EINPROGRESS)
		ret = loop_add(&k->relay.io, EPOLLOUT);
	if (ret) {
		close(k->relay.io.fd);
		k->relay.io.fd = -1;
	}
	return ret;
}

/* Try the next address; `last` is how the one before failed. */
static void socks_try(struct socks *k, int last)
{
	while (k->tried < k->to.count) {
		last = socks_dial(k, &k->to.addr[k->tried++]);
		if (!last)
			return;
	}
	socks_reply(k, socks_reply_of(last));
}

static void socks_found(struct lookup *l, void *arg)
{
	struct socks *k = arg;
	const struct rule_pins *pins;

	k->lookup = NULL;
	if (l->error) {
		socks_reply(k, SOCKS_HOST_UNREACHABLE);
		return;
	}
	if (!rules_screen(&run.opt.outbound, l->name, &l->found)) {
		socks_reply(k, SOCKS_NOT_ALLOWED);
		return;
	}
	rules_pin(&run.opt.outbound, l->name, &l->found);
	pins = rules_pins(&run.opt.outbound, l->name);
	k->to = pins ? *pins : l->found;
	socks_try(k, -EHOSTUNREACH);
}

static void socks_go(struct socks *k)
{
	struct socks_request *q = &k->request;
	enum socks_reply reply = socks_parse(q, k->msg);
	struct rules *rules = &run.opt.outbound;
	const struct rule_pins *pins;

	k->state = WAITING;
	if (reply == SOCKS_OK && *q->name &&
	    !rules_allow_name(rules, q->name, q->port))
		reply = SOCKS_NOT_ALLOWED;
	if (reply == SOCKS_OK && !*q->name &&
	    !rules_allow(rules, &q->addr, q->port))
		reply = SOCKS_NOT_ALLOWED;
	if (reply != SOCKS_OK) {
		socks_reply(k, reply);
		return;
	}
	pins = *q->name ? rules_pins(rules, q->name) : NULL;
	if (!*q->name) {
		k->to.count = 1;
		k->to.addr[0] = q->addr;
	} else if (pins) {
		k->to = *pins;
	} else {
		k->lookup = lookup_start(q->name, NULL, socks_found, k);
		if (!k->lookup)
			socks_reply(k, SOCKS_FAILED);
		return;
	}
	socks_try(k, -EHOSTUNREACH);
}

/* A whole message is there: 0 or -EPROTO. */
static int socks_message(struct socks *k)
{
	static const uint8_t welcome[2] = {5, 0}, none[2] = {5, 0xff};

	k->len = 0;
	if (k->state == REQUEST) {
		socks_go(k);
		return 0;
	}
	if (!socks_greeting_suits(k->msg)) {
		buf_add(&k->out, none, sizeof(none));
		k->state = FAILED;
	} else {
		buf_add(&k->out, welcome, sizeof(welcome));
		k->state = REQUEST;
	}
	vsock_in_ready(k->s);
	return 0;
}

static ssize_t socks_out(struct vsock_stream *s, const struct iovec *iov, int n)
{
	struct socks *k = s->arg;
	size_t took = 0, total = 0;

	for (int i = 0; i < n; i++)
		total += iov[i].iov_len;
	while (took < total && k->state <= REQUEST) {
		int need;

		took += iov_read(iov, n, took, k->msg + k->len++, 1);
		need = k->state == GREETING ? socks_greeting_len(k->msg, k->len)
					    : socks_request_len(k->msg, k->len);
		if (need < 0)
			return -EPROTO;
		if (need && k->len == (size_t)need)
			socks_message(k);
	}
	if (k->state == FAILED)
		return (ssize_t)total; /* nobody is there to hear it */
	return took ? (ssize_t)took : -EAGAIN;
}

static ssize_t socks_in(struct vsock_stream *s, struct iovec *iov, int n)
{
	struct socks *k = s->arg;
	size_t len = iov_write(iov, n, 0, buf_at(&k->out), buf_len(&k->out));

	buf_take(&k->out, len);
	if (len)
		return (ssize_t)len;
	return k->state == FAILED ? 0 : -EAGAIN;
}

static void socks_out_end(struct vsock_stream *s)
{
	struct socks *k = s->arg;

	k->ended = true;
	if (k->state <= REQUEST) {
		k->state = FAILED;
		vsock_in_ready(s);
	}
}

static void socks_closed(struct vsock_stream *s, int err)
{
	struct socks *k = s->arg;

	(void)err;
	relay_stop(&k->relay, true);
	socks_free(k);
}

static const struct vsock_user socks_user = {
    .in = socks_in,
    .out = socks_out,
    .out_end = socks_out_end,
    .closed = socks_closed,
};

int socks_accept(struct run *r, struct vsock_stream *s)
{
	struct socks *k;

	(void)r;
	if (!connection_take())
		return -ECONNREFUSED;
	k = must_alloc(sizeof(*k));
	k->relay.io.fd = -1;
	k->s = s;
	s->user = &socks_user;
	s->arg = k;
	return 0;
}

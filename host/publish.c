/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Published ports (-p): TCP connections to the host, carried to the guest
 * with a PROXY protocol v2 header in front, from which the guest knows who
 * the client is.
 *
 * The ports are bound at the start, so that one in use is noticed, and their
 * clients wait in the backlog until the guest listens.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/relay.h"
#include "host/run.h"
#include "host/stats.h"

#define ACCEPT_BURST 64
#define RETRY_MS     50

struct listener {
	struct loop_fd io;
	struct loop_timer retry; /* out of descriptors: look again */
	uint16_t guest_port;
	bool enabled;
};

struct client {
	struct relay relay;
	bool drained; /* all that the guest said was passed on */
};

static struct listener listeners[PUBLISH_MAX];
static unsigned listener_count;
static unsigned undrained; /* clients that the guest may still owe bytes */

_Static_assert(sizeof(struct in6_addr) == 16, "PROXY v2 addresses");

/* https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, 2.2 */
static size_t proxy_header(
    uint8_t *to, const union address *from, const union address *at)
{
	static const uint8_t start[] = {'\r', '\n', '\r', '\n', 0, '\r', '\n',
	    'Q', 'U', 'I', 'T', '\n', 0x21 /* v2, PROXY */};
	bool v4 = from->sa.sa_family == AF_INET;
	size_t a = v4 ? 4 : 16, len = 2 * a + 4;

	memcpy(to, start, sizeof(start));
	to[13] = v4 ? 0x11 : 0x21; /* TCP over IPv4 or IPv6 */
	to[14] = 0;
	to[15] = (uint8_t)len;
	to += 16;
	memcpy(to, v4 ? (void *)&from->v4.sin_addr : &from->v6.sin6_addr, a);
	memcpy(to + a, v4 ? (void *)&at->v4.sin_addr : &at->v6.sin6_addr, a);
	to += 2 * a;
	memcpy(to, v4 ? &from->v4.sin_port : &from->v6.sin6_port, 2);
	memcpy(to + 2, v4 ? &at->v4.sin_port : &at->v6.sin6_port, 2);
	return 16 + len;
}

static unsigned connections; /* both ways, of run.opt.connections */

bool connection_take(void)
{
	if (run.opt.connections && connections >= run.opt.connections)
		return false;
	connections++;
	return true;
}

/* Who waits in the backlog is let in later in this turn, or the next. */
void connection_give(void)
{
	if (connections-- != run.opt.connections)
		return;
	for (unsigned i = 0; i < listener_count; i++)
		if (listeners[i].enabled && listeners[i].io.ready)
			loop_change(&listeners[i].io, EPOLLIN);
}

static void client_drained(struct client *c)
{
	if (c->drained)
		return;
	c->drained = true;
	if (--undrained == 0 && run.exited)
		stdio_check_exit(&run);
}

static void client_out_end(struct vsock_stream *s)
{
	relay_out_end(s);
	client_drained(container_of(s->arg, struct client, relay));
}

static void client_done(struct relay *r, int err)
{
	struct client *c = container_of(r, struct client, relay);

	client_drained(c);
	relay_stop(r, err != 0);
	stats_closed(STATS_IN);
	connection_give();
	loop_free(c);
}

static void client_opened(struct vsock_stream *s)
{
	(void)s;
}

static const struct vsock_user client_user = {
    client_opened, relay_in, relay_out, client_out_end, relay_closed};

static void client_start(struct listener *l, int fd, const union address *from)
{
	struct client *c = must_alloc(sizeof(*c));
	union address at = {0};
	socklen_t len = sizeof(at);
	uint8_t head[16 + 36];
	int one = 1, ret;

	undrained++;
	stats_opened(STATS_IN);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->relay.done = client_done;
	getsockname(fd, &at.sa, &len);
	relay_head(&c->relay, head, proxy_header(head, from, &at));
	ret = relay_start(
	    &c->relay, fd, RELAY_IN | RELAY_OUT | RELAY_SOCKET | RELAY_COUNT);
	if (!ret)
		ret = run.v->connect(run.v, CTL_PUBLISHED_BASE + l->guest_port,
		    &client_user, &c->relay, &c->relay.s);
	if (ret) {
		remark("cannot carry a connection: %s", strerror(-ret));
		client_done(&c->relay, ret);
	}
}

static void listener_ready(struct loop_fd *io, uint32_t events)
{
	struct listener *l = container_of(io, struct listener, io);

	(void)events;
	for (int i = 0; i < ACCEPT_BURST; i++) {
		union address from = {0};
		socklen_t len = sizeof(from);
		int fd;

		if (!connection_take()) {
			loop_change(io, 0); /* until connection_give() */
			return;
		}
		fd = accept4(
		    io->fd, &from.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			client_start(l, fd, &from);
			continue;
		}
		connections--;
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS) {
			loop_change(io, 0);
			loop_timer_set(&l->retry, RETRY_MS);
		}
		return;
	}
}

static void listener_retry(struct loop_timer *timer)
{
	struct listener *l = container_of(timer, struct listener, retry);

	loop_change(&l->io, EPOLLIN);
}

static int listener_bind(struct listener *l, struct publish_option *p)
{
	union address *a = &p->address;
	char text[ADDRESS_TEXT];
	socklen_t len = address_len(a);
	int one = 1;

	l->guest_port = p->guest_port;
	l->retry.fire = listener_retry;
	l->io.ready = listener_ready;
	l->io.fd = socket(
	    a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->io.fd < 0)
		return -errno;
	setsockopt(l->io.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (a->sa.sa_family == AF_INET6)
		setsockopt(
		    l->io.fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(l->io.fd, &a->sa, len) || listen(l->io.fd, SOMAXCONN) ||
	    getsockname(l->io.fd, &a->sa, &len))
		return -errno;
	if (p->any_port)
		dprintf(STDERR_FILENO, "%s -> %u\n", address_print(a, text),
		    l->guest_port);
	return loop_add(&l->io, 0);
}

int publish_open(struct run *r)
{
	char text[ADDRESS_TEXT];

	for (unsigned i = 0; i < r->opt.publish_count; i++) {
		struct publish_option *p = &r->opt.publish[i];
		int ret = listener_bind(&listeners[i], p);

		listener_count = i + 1;
		if (!ret)
			continue;
		complain("cannot publish on %s: %s%s",
		    address_print(&p->address, text), strerror(-ret),
		    ret == -EADDRINUSE ? "; use another port with -p" : "");
		return ret;
	}
	return 0;
}

void publish_enable(struct run *r, uint32_t guest_port)
{
	(void)r;
	for (unsigned i = 0; i < listener_count; i++) {
		struct listener *l = &listeners[i];

		if (l->guest_port != guest_port || l->enabled)
			continue;
		l->enabled = true;
		loop_change(&l->io, EPOLLIN);
	}
}

unsigned publish_undrained(void)
{
	return undrained;
}

void publish_finish(void)
{
	for (unsigned i = 0; i < listener_count; i++) {
		loop_timer_cancel(&listeners[i].retry);
		loop_del(&listeners[i].io);
		close(listeners[i].io.fd);
	}
	listener_count = 0;
}

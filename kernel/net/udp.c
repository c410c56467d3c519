/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP within the guest: loopback is the only network.
 *
 * A datagram goes straight to the queue of the socket bound to its port.
 * What nobody takes is dropped, and if the sender is connected its next call
 * says ECONNREFUSED, as Linux has it from ICMP.  Other destinations are
 * unreachable, but for name servers: resolver.c takes what is sent to port 53
 * and nobody in the guest receives.
 *
 * Letters: [n] udp_lock.
 */
#include <asm/socket.h>
#include <linux/in.h>
#include <linux/in6.h>
#include "kernel/fs/file.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/inet.h"
#include "kernel/net/inet_addr.h"
#include "kernel/net/inet_option.h"
#include "kernel/net/packet.h"
#include "kernel/net/resolver.h"
#include "kernel/net/socket_abi.h"

#define PAYLOAD_V4      65507u
#define PAYLOAD_V6      65527u
#define EPHEMERAL_FIRST 32768u
#define EPHEMERAL_COUNT 28232u
#define SHUT_BOTH       (STREAM_SHUT_RECV | STREAM_SHUT_SEND)

struct udp_sock {
	struct list node; /* [n] in `bound` */
	struct socket *s;
	struct inet_addr addr, peer; /* [n] port 0: not bound, not connected */
	bool any; /* [n] bound to no address, but connected */
	unsigned shut;
	int error; /* [n] pending, positive */
	uint64_t id;
	struct packetq in;
};

/* The head of a packet. */
struct udp_head {
	struct inet_addr from, to;
};

static struct spinlock udp_lock;
static struct list bound = LIST_INIT(bound); /* [n] the latest first */

static const struct socket_ops udp_ops;

static struct udp_sock *udp_of(struct socket *s)
{
	return s->priv;
}

static bool v6only(const struct udp_sock *u)
{
	return inet_option(u->s, IPPROTO_IPV6, IPV6_V6ONLY);
}

static bool takes_v4(const struct udp_sock *u)
{
	return u->s->family == AF_INET || inet_is_v4(&u->addr) ||
	       (!v6only(u) && inet_is_any(&u->addr));
}

static bool takes_v6(const struct udp_sock *u)
{
	return u->s->family == AF_INET6 && !inet_is_v4(&u->addr);
}

static bool share(const struct udp_sock *a, const struct udp_sock *b)
{
	return a->s->flags & b->s->flags &
	       (SOCKET_FLAG(SO_REUSEADDR) | SOCKET_FLAG(SO_REUSEPORT));
}

static bool conflict_locked(const struct udp_sock *me)
{
	struct udp_sock *o;

	list_for_each (o, &bound, node) {
		if (o == me || o->addr.port != me->addr.port || share(me, o))
			continue;
		if (!(takes_v4(me) && takes_v4(o)) &&
		    !(takes_v6(me) && takes_v6(o)))
			continue;
		if (inet_is_any(&me->addr) || inet_is_any(&o->addr) ||
		    !memcmp(me->addr.ip, o->addr.ip, 16))
			return true;
	}
	return false;
}

static int bind_locked(struct udp_sock *u, const struct inet_addr *a)
{
	uint32_t start;

	u->addr = *a;
	random_bytes(&start, sizeof(start));
	for (uint32_t i = 0; !a->port && i < EPHEMERAL_COUNT; i++) {
		u->addr.port =
		    (uint16_t)(EPHEMERAL_FIRST + (start + i) % EPHEMERAL_COUNT);
		if (!conflict_locked(u))
			break;
	}
	if (conflict_locked(u)) {
		u->addr.port = 0;
		return -EADDRINUSE;
	}
	list_push_front(&bound, &u->node);
	u->s->bound = true;
	inet_export(&u->addr, u->s->family, &u->s->local);
	return 0;
}

static void any_address(const struct socket *s, struct inet_addr *a)
{
	memset(a, 0, sizeof(*a));
	if (s->family == AF_INET)
		inet_any_v4(a);
}

static int autobind_locked(struct udp_sock *u)
{
	struct inet_addr a;

	if (u->s->bound)
		return 0;
	any_address(u->s, &a);
	return bind_locked(u, &a);
}

static int udp_bind(struct socket *s, const struct sock_addr *a)
{
	struct inet_addr addr;
	int err = inet_import(a, s->family, &addr);

	if (err)
		return err;
	if (!inet_is_any(&addr) && !inet_is_loopback(&addr) &&
	    !inet_option(s, IPPROTO_IP, IP_FREEBIND))
		return -EADDRNOTAVAIL;
	spin_lock(&udp_lock);
	err = s->bound ? -EINVAL : bind_locked(udp_of(s), &addr);
	spin_unlock(&udp_lock);
	return err;
}

/* May a datagram go there at all?  An address of none is loopback's. */
static int check_destination(const struct socket *s, struct inet_addr *to)
{
	bool v4 = inet_is_v4(to);

	if (v4 && s->family == AF_INET6 && v6only(udp_of((void *)s)))
		return -ENETUNREACH;
	if (inet_is_any(to))
		inet_loopback_like(to);
	if (v4 && !memcmp(to->ip + 12, "\xff\xff\xff\xff", 4) &&
	    !(s->flags & SOCKET_FLAG(SO_BROADCAST)))
		return -EACCES;
	if (inet_is_loopback(to) || resolver_takes(to))
		return 0;
	return -ENETUNREACH;
}

static void disconnect_locked(struct udp_sock *u)
{
	u->peer.port = 0;
	u->s->connected = false;
	if (!u->any)
		return;
	u->any = false;
	memset(u->addr.ip, 0, 16);
	if (u->s->family == AF_INET)
		memset(u->addr.ip + 10, 0xff, 2);
	inet_export(&u->addr, u->s->family, &u->s->local);
}

static int connect_locked(struct udp_sock *u, const struct inet_addr *to)
{
	int err = autobind_locked(u);

	if (err)
		return err;
	if (inet_is_any(&u->addr)) {
		uint16_t port = u->addr.port;
		u->any = true;
		u->addr = *to;
		if (inet_is_v4(to) || !inet_is_loopback(to))
			inet_loopback_v4(&u->addr, port);
		u->addr.port = port;
		inet_export(&u->addr, u->s->family, &u->s->local);
	}
	u->peer = *to;
	u->s->connected = true;
	inet_export(to, u->s->family, &u->s->peer);
	return 0;
}

static int udp_connect(struct socket *s, const struct sock_addr *a)
{
	struct udp_sock *u = udp_of(s);
	bool dissolve = a->len >= 2 && a->family == AF_UNSPEC;
	struct inet_addr to;
	int err = dissolve ? 0 : inet_import(a, s->family, &to);

	if (!err && !dissolve)
		err = check_destination(s, &to);
	if (err)
		return err;
	spin_lock(&udp_lock);
	disconnect_locked(u);
	if (!dissolve)
		err = connect_locked(u, &to);
	spin_unlock(&udp_lock);
	return err;
}

/* How well u suits a datagram; 0: not at all. */
static int score(const struct udp_sock *u, const struct udp_head *h)
{
	bool v4 = inet_is_v4(&h->to);
	int points = 1;

	if (u->addr.port != h->to.port || !(v4 ? takes_v4(u) : takes_v6(u)))
		return 0;
	if (!inet_is_any(&u->addr)) {
		if (memcmp(u->addr.ip, h->to.ip, 16))
			return 0;
		points += 2;
	}
	if (u->peer.port) {
		if (u->peer.port != h->from.port ||
		    memcmp(u->peer.ip, h->from.ip, 16))
			return 0;
		points += 4;
	}
	if (v4 && u->s->family == AF_INET)
		points++;
	return points;
}

/* The socket that gets it: of several that suit and share the port with
 * SO_REUSEPORT one by the sender's port, else the latest. */
static struct udp_sock *receiver_locked(const struct udp_head *h)
{
	struct udp_sock *u, *best = NULL;
	int points, most = 0;
	unsigned nr = 0, pick;

	list_for_each (u, &bound, node) {
		points = score(u, h);
		if (points > most) {
			most = points;
			best = u;
			nr = 0;
		}
		nr += points && points == most;
	}
	if (nr < 2 || !(best->s->flags & SOCKET_FLAG(SO_REUSEPORT)))
		return best;
	pick = (h->from.port * 2654435761u >> 16) % nr;
	list_for_each (u, &bound, node)
		if (score(u, h) == most && !pick--)
			return u;
	return best;
}

/* A full queue drops, as a network may. */
static bool push_locked(struct udp_sock *to, struct packet *p)
{
	if (to->shut & STREAM_SHUT_RECV ||
	    to->in.charge + p->len > to->s->recv_buffer)
		return false;
	packetq_push(&to->in, p);
	waitq_wake_sync(&to->s->wait, POLL_IN);
	return true;
}

/* Hand p to whoever receives it, or to the resolver, or drop it. */
static void deliver(struct udp_sock *u, struct packet *p)
{
	const struct udp_head *h = (const void *)p->bytes;
	struct udp_sock *to;
	bool taken = false;

	spin_lock(&udp_lock);
	to = receiver_locked(h);
	if (to)
		taken = push_locked(to, p);
	else if (!resolver_takes(&h->to) && u->peer.port)
		u->error = ECONNREFUSED;
	spin_unlock(&udp_lock);
	if (!to && resolver_takes(&h->to))
		resolver_ask(u->id, &h->to, packet_data(p), p->len);
	else if (!to && u->error)
		waitq_wake_all(&u->s->wait, POLL_ERR);
	if (!taken)
		packet_free(p);
}

void udp_answer(
    uint64_t id, const struct inet_addr *from, const void *data, size_t n)
{
	struct udp_head h = {.from = *from};
	struct packet *p = packet_from_memory(&h, sizeof(h), data, n);
	struct udp_sock *u;
	bool taken = false;

	spin_lock(&udp_lock);
	list_for_each (u, &bound, node)
		if (u->id == id && p) {
			((struct udp_head *)(void *)p->bytes)->to = u->addr;
			taken = push_locked(u, p);
			break;
		}
	spin_unlock(&udp_lock);
	if (p && !taken)
		packet_free(p);
}

static int take_error(struct socket *s)
{
	struct udp_sock *u = udp_of(s);
	int err;

	spin_lock(&udp_lock);
	err = u->error;
	u->error = 0;
	spin_unlock(&udp_lock);
	return err;
}

/* The datagram's two addresses. */
static int address(
    struct udp_sock *u, const struct socket_msg *m, struct udp_head *h)
{
	int err;

	if (m->to) {
		err = inet_import(m->to, u->s->family, &h->to);
		if (err)
			return err;
		if (!h->to.port)
			return -EINVAL;
		err = check_destination(u->s, &h->to);
		if (err)
			return err;
	} else {
		if (!u->peer.port)
			return -EDESTADDRREQ;
		h->to = u->peer;
	}
	spin_lock(&udp_lock);
	err = autobind_locked(u);
	h->from = u->addr;
	spin_unlock(&udp_lock);
	if (inet_is_v4(&h->to) != inet_is_v4(&h->from) ||
	    inet_is_any(&h->from)) {
		uint16_t port = h->from.port;
		h->from = h->to;
		if (inet_is_v4(&h->to))
			inet_loopback_v4(&h->from, port);
		h->from.port = port;
	}
	return err;
}

static ssize_t udp_send(struct socket *s, struct socket_msg *m)
{
	struct udp_sock *u = udp_of(s);
	size_t n = m->it.left;
	struct udp_head h;
	struct packet *p;
	int err = take_error(s);

	if (err)
		return -err;
	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	err = address(u, m, &h);
	if (err)
		return err;
	if (n > (inet_is_v4(&h.to) ? PAYLOAD_V4 : PAYLOAD_V6))
		return -EMSGSIZE;
	if (u->shut & STREAM_SHUT_SEND)
		return -EPIPE;
	p = packet_from_iter(&h, sizeof(h), &m->it, n, &err);
	if (!p)
		return err;
	deliver(u, p);
	return (ssize_t)n;
}

static ssize_t udp_recv(struct socket *s, struct socket_msg *m)
{
	struct udp_sock *u = udp_of(s);
	uint64_t deadline = socket_deadline(s->recv_timeout);
	struct udp_head h;
	uint32_t len;
	ssize_t r;

	if (m->flags & MSG_ERRQUEUE)
		return -EAGAIN;
	for (;;) {
		r = take_error(s);
		if (r)
			return -r;
		r = packetq_take(&u->in, m, &h, sizeof(h), &len);
		if (r >= 0) {
			inet_export(&h.from, s->family, &m->from);
			inet_export(&h.to, s->family, &m->dest);
		}
		if (r != -EAGAIN)
			return r;
		if (u->shut & STREAM_SHUT_RECV)
			return 0;
		if (!socket_blocks(s, m->flags))
			return -EAGAIN;
		r = wait_event(&s->wait,
		    !packetq_empty(&u->in) || u->error ||
			u->shut & STREAM_SHUT_RECV,
		    deadline, true);
		if (r)
			return socket_wait_error((int)r, s->recv_timeout);
	}
}

static unsigned udp_poll(struct socket *s, struct poll_table *pt)
{
	struct udp_sock *u = udp_of(s);
	unsigned ev = POLL_OUT;

	(void)pt;
	if (!packetq_empty(&u->in))
		ev |= POLL_IN;
	if (u->shut & STREAM_SHUT_RECV)
		ev |= POLL_IN | POLL_RDHUP;
	if (u->shut == SHUT_BOTH)
		ev |= POLL_HUP;
	return u->error ? ev | POLL_ERR : ev;
}

/* As in Linux it takes effect even where it fails. */
static int udp_shutdown(struct socket *s, unsigned how)
{
	udp_of(s)->shut |= how;
	waitq_wake_all(&s->wait, 0);
	return s->connected ? 0 : -ENOTCONN;
}

static size_t udp_pending(struct socket *s)
{
	return packetq_first(&udp_of(s)->in);
}

static int udp_listen(struct socket *s)
{
	(void)s;
	return -EOPNOTSUPP;
}

static bool is_connecting(struct socket *s)
{
	(void)s;
	return false;
}

static void udp_release(struct socket *s)
{
	struct udp_sock *u = udp_of(s);

	spin_lock(&udp_lock);
	list_remove(&u->node);
	spin_unlock(&udp_lock);
	packetq_drain(&u->in);
	kfree(u);
}

static const struct socket_ops udp_ops = {
    .bind = udp_bind,
    .listen = udp_listen,
    .unlisten = socket_no_unlisten,
    .connect = udp_connect,
    .send = udp_send,
    .recv = udp_recv,
    .poll = udp_poll,
    .shutdown = udp_shutdown,
    .pending = udp_pending,
    .unsent = socket_no_unsent,
    .connect_result = take_error,
    .is_connecting = is_connecting,
    .setsockopt = inet_option_set,
    .getsockopt = inet_option_get,
    .release = udp_release,
};

int udp_socket(struct socket *s)
{
	static uint64_t last_id; /* [n] */
	struct udp_sock *u = kzalloc(sizeof(*u));

	if (!u)
		return -ENOBUFS;
	list_init(&u->node);
	packetq_init(&u->in);
	u->s = s;
	any_address(s, &u->addr);
	spin_lock(&udp_lock);
	u->id = ++last_id;
	spin_unlock(&udp_lock);
	inet_export(&u->addr, s->family, &s->local);
	s->priv = u;
	s->protocol = IPPROTO_UDP;
	s->ops = &udp_ops;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AF_INET and AF_INET6 stream sockets without a TCP/IP stack; udp.c has the
 * datagrams.
 *
 * Ports are vsock ports: a listener on TCP port N takes raw connections on
 * vsock port N, and on CTL_PUBLISHED_BASE + N those that the launcher passes
 * on, which begin with a PROXY v2 header that says who the client is.
 * Loopback connections are local streams.  All others go to the launcher's
 * SOCKS server.  proxy.c and socks.c hold the two protocols.
 *
 * An address is kept as IPv6 throughout, IPv4 as ::ffff:a.b.c.d.
 */
#include "kernel/net/inet.h"
#include <asm/socket.h>
#include <linux/in.h>
#include <linux/in6.h>
#include "kernel/control/control.h"
#include "kernel/control/wire.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/inet_addr.h"
#include "kernel/net/inet_option.h"
#include "kernel/net/socket.h"
#include "kernel/net/socket_abi.h"
#include "kernel/net/vsock.h"

#define EPHEMERAL_FIRST 32768u
#define EPHEMERAL_COUNT 28232u
#define REUSE_ADDR      SOCKET_FLAG(SO_REUSEADDR)
#define REUSE_PORT      SOCKET_FLAG(SO_REUSEPORT)

/* Shared by the listeners of one port (IPv4 and IPv6 may have one each). */
struct inet_port {
	struct list node; /* [n] */
	uint16_t port;
	unsigned users; /* [n] */
	struct vsock_listener raw, published;
};

/* A bound socket.  [n] inet_lock. */
struct inet_sock {
	struct list node; /* [n] in `bound` */
	struct socket *s;
	struct inet_addr addr;  /* [n] port 0: not bound */
	bool listening;         /* [n] */
	struct inet_port *port; /* [n] reachable from the host */
};

static struct mutex inet_lock = MUTEX_INIT(inet_lock);
/* Within inet_lock and vsock's lock: for changes to what has_room looks at. */
static struct spinlock room_lock = SPINLOCK_INIT;
static struct list bound = LIST_INIT(bound); /* [n] */
static struct list ports = LIST_INIT(ports); /* [n] */
static uint32_t socks_port;

static const struct socket_ops inet_ops;

void inet_allow_outbound(uint32_t port)
{
	socks_port = port;
}

uint32_t inet_socks_port(void)
{
	return socks_port;
}

static bool v6only(const struct inet_sock *i)
{
	return inet_option(i->s, IPPROTO_IPV6, IPV6_V6ONLY);
}

static bool takes_v4(const struct inet_sock *i)
{
	return i->s->family == AF_INET ||
	       (!v6only(i) && (inet_is_any(&i->addr) || inet_is_v4(&i->addr)));
}

static bool takes_v6(const struct inet_sock *i)
{
	return i->s->family == AF_INET6 && !inet_is_v4(&i->addr);
}

/* Could one client address reach both? */
static bool overlap(const struct inet_sock *a, const struct inet_sock *b)
{
	bool v4 = takes_v4(a) && takes_v4(b);
	bool v6 = takes_v6(a) && takes_v6(b);

	if (a->addr.port != b->addr.port || !(v4 || v6))
		return false;
	return inet_is_any(&a->addr) || inet_is_any(&b->addr) ||
	       !memcmp(a->addr.ip, b->addr.ip, 16);
}

static bool conflict_locked(struct inet_sock *me, bool listening_only)
{
	struct inet_sock *o;

	list_for_each (o, &bound, node) {
		uint32_t both = me->s->flags & o->s->flags;
		if (o == me || !overlap(me, o) || both & REUSE_PORT)
			continue;
		if (o->listening || (!listening_only && !(both & REUSE_ADDR)))
			return true;
	}
	return false;
}

static int pick_port_locked(struct inet_sock *me)
{
	uint32_t start;

	random_bytes(&start, sizeof(start));
	for (uint32_t i = 0; i < EPHEMERAL_COUNT; i++) {
		me->addr.port =
		    (uint16_t)(EPHEMERAL_FIRST + (start + i) % EPHEMERAL_COUNT);
		if (!conflict_locked(me, false))
			return 0;
	}
	me->addr.port = 0;
	return -EADDRINUSE;
}

static void local_name(struct inet_sock *i)
{
	inet_export(&i->addr, i->s->family, &i->s->local);
}

static int bind_locked(struct inet_sock *i)
{
	int err = 0;

	if (!i->addr.port)
		err = pick_port_locked(i);
	else if (conflict_locked(i, false))
		err = -EADDRINUSE;
	if (err)
		return err;
	spin_lock(&room_lock);
	list_push_back(&bound, &i->node);
	spin_unlock(&room_lock);
	i->s->bound = true;
	local_name(i);
	return 0;
}

static int inet_bind(struct socket *s, const struct sock_addr *a)
{
	struct inet_sock *i = s->priv;
	struct inet_addr addr;
	int err = inet_import(a, s->family, &addr);

	if (err)
		return err;
	if (!inet_is_any(&addr) && !inet_is_loopback(&addr) &&
	    !inet_option(s, IPPROTO_IP, IP_FREEBIND) &&
	    !inet_option(s, IPPROTO_IPV6, IPV6_FREEBIND))
		return -EADDRNOTAVAIL; /* there is no interface but lo */
	MUTEX_GUARD(&inet_lock);
	if (s->bound)
		return -EINVAL;
	i->addr = addr;
	err = bind_locked(i);
	if (err)
		i->addr.port = 0;
	return err;
}

/* How well a listener suits a client of this family, that comes from the host
 * or (to) connects within the guest; 0: not at all.  A specific address comes
 * before any. */
static int score(const struct inet_sock *l, uint16_t port, bool v4,
    const struct inet_addr *to)
{
	if (!l->listening || l->addr.port != port ||
	    !(v4 ? takes_v4(l) : takes_v6(l)))
		return 0;
	if (inet_is_any(&l->addr))
		return to || !l->s->lo_only ? 1 : 0;
	return to && !memcmp(l->addr.ip, to->ip, 16) ? 2 : 0;
}

/* The listener that a client reaches, or NULL; those that share a port
 * (SO_REUSEPORT) take turns. */
static struct inet_sock *listener_locked(
    uint16_t port, bool v4, const struct inet_addr *to)
{
	static unsigned turn; /* [n] */
	struct inet_sock *o, *best = NULL;
	unsigned nr = 0, pick;
	int points, most = 0;

	list_for_each (o, &bound, node) {
		points = score(o, port, v4, to);
		if (points > most) {
			most = points;
			nr = 0;
		}
		if (points && points == most) {
			best = o;
			nr++;
		}
	}
	if (nr < 2)
		return best;
	pick = turn++ % nr;
	list_for_each (o, &bound, node)
		if (score(o, port, v4, to) == most && !pick--)
			return o;
	return best;
}

/* Give an accepted stream to the socket that takes such clients. */
static bool deliver(struct stream *st, uint16_t port,
    const struct inet_addr *local, const struct inet_addr *peer)
{
	struct inet_sock *l;
	struct sock_addr sl, sp;
	bool ok;

	mutex_lock(&inet_lock);
	l = listener_locked(port, inet_is_v4(peer), NULL);
	if (l) {
		inet_export(local, l->s->family, &sl);
		inet_export(peer, l->s->family, &sp);
	}
	ok = l && socket_queue_push(l->s, st, &sl, &sp);
	mutex_unlock(&inet_lock);
	return ok;
}

static bool accept_raw(struct vsock_listener *vl, struct vsock_conn *c)
{
	struct inet_port *p = vl->owner;
	struct inet_addr local, peer;

	inet_loopback_v4(&local, p->port);
	inet_loopback_v4(&peer, (uint16_t)c->peer_port);
	return deliver(&c->s, p->port, &local, &peer);
}

static bool accept_published(struct vsock_listener *vl, struct vsock_conn *c)
{
	struct inet_port *p = vl->owner;
	struct inet_addr local, peer;

	proxy_take(c, &peer, &local);
	local.port = p->port;
	return deliver(&c->s, p->port, &local, &peer);
}

/* Called with vsock's lock held, so without ours. */
static bool has_room(struct vsock_listener *vl)
{
	struct inet_port *p = vl->owner;
	struct inet_sock *o;
	bool room = false;

	spin_lock(&room_lock);
	list_for_each (o, &bound, node)
		room |=
		    o->listening && o->port == p && socket_queue_has_room(o->s);
	spin_unlock(&room_lock);
	return room;
}

static struct inet_port *port_get_locked(uint16_t port, int *err)
{
	struct inet_port *p;

	list_for_each (p, &ports, node) {
		if (p->port != port)
			continue;
		p->users++;
		return p;
	}
	p = kzalloc(sizeof(*p));
	*err = -ENOMEM;
	if (!p)
		return NULL;
	p->port = port;
	p->users = 1;
	p->raw = (struct vsock_listener){.port = port,
	    .accept = accept_raw,
	    .has_room = has_room,
	    .owner = p};
	p->published =
	    (struct vsock_listener){.port = CTL_PUBLISHED_BASE + port,
		.accept = accept_published,
		.has_room = has_room,
		.filter = proxy_filter,
		.owner = p};
	*err = vsock_listen(&p->raw);
	if (!*err) {
		*err = vsock_listen(&p->published);
		if (*err)
			vsock_unlisten(&p->raw);
	}
	if (*err) {
		kfree(p);
		return NULL;
	}
	list_push_back(&ports, &p->node);
	return p;
}

/* The port if nobody uses it any more: for port_free, without the lock. */
static struct inet_port *port_put_locked(struct inet_port *p)
{
	if (--p->users)
		return NULL;
	vsock_unlisten(&p->raw);
	vsock_unlisten(&p->published);
	list_remove(&p->node);
	return p;
}

static void port_free(struct inet_port *p)
{
	if (!p)
		return;
	vsock_listener_wait(&p->raw);
	vsock_listener_wait(&p->published);
	kfree(p);
}

static int listen_locked(struct inet_sock *i)
{
	int err = 0;

	if (!i->s->bound)
		err = bind_locked(i);
	else if (conflict_locked(i, true))
		err = -EADDRINUSE;
	if (err)
		return err;
	if (inet_is_any(&i->addr) && !i->s->lo_only) {
		i->port = port_get_locked(i->addr.port, &err);
		if (!i->port)
			return err;
	}
	i->listening = i->s->listening = true;
	return 0;
}

static int inet_listen(struct socket *s)
{
	struct inet_sock *i = s->priv;
	int err;

	mutex_lock(&inet_lock);
	err = listen_locked(i);
	mutex_unlock(&inet_lock);
	if (!err && i->port)
		control_listening(i->addr.port);
	return err;
}

/* Both ends in memory; the other one goes to the listener at once. */
static int connect_local(struct inet_sock *i, const struct inet_addr *to)
{
	struct inet_sock *l;
	struct stream *mine, *theirs;
	struct inet_addr from = *to;
	struct sock_addr sl, sp;
	int err;

	MUTEX_GUARD(&inet_lock);
	l = listener_locked(to->port, inet_is_v4(to), to);
	if (!l || !socket_queue_has_room(l->s))
		return -ECONNREFUSED;
	if (!i->s->bound) {
		from.port = 0;
		i->addr = from;
		err = bind_locked(i);
		if (err)
			return err;
	}
	from.port = i->addr.port;
	err = local_pair(&mine, &theirs);
	if (err)
		return err;
	inet_export(to, l->s->family, &sl);
	inet_export(&from, l->s->family, &sp);
	if (!socket_queue_push(l->s, theirs, &sl, &sp)) {
		mine->ops->close(mine);
		theirs->ops->close(theirs);
		return -ECONNREFUSED;
	}
	i->s->stream = mine;
	return 0;
}

static int inet_connect(struct socket *s, const struct sock_addr *a)
{
	struct inet_sock *i = s->priv;
	struct inet_addr to;
	struct vsock_conn *c;
	int err = inet_import(a, s->family, &to);

	if (err)
		return err;
	if (inet_is_any(&to))
		inet_loopback_like(&to);
	if (inet_is_loopback(&to))
		return connect_local(i, &to);
	if (!socks_port || s->lo_only)
		return -ENETUNREACH;
	c = socks_connect(socks_port, &to, &err);
	if (!c)
		return err;
	s->stream = &c->s;
	if (!s->bound) {
		struct inet_addr from;
		inet_loopback_v4(&from, (uint16_t)c->local_port);
		inet_export(&from, s->family, &s->local);
	}
	return -EINPROGRESS;
}

static bool is_vsock(const struct socket *s)
{
	return stream_is_vsock(s->stream);
}

static bool inet_is_connecting(struct socket *s)
{
	struct stream *st = socket_stream(s);
	struct vsock_conn *c;

	if (!st || !stream_is_vsock(st))
		return false;
	c = vsock_of(st);
	return c->state != VSOCK_DEAD && !vsock_is_connected(c) &&
	       c->state != VSOCK_CLOSING;
}

static int inet_connect_result(struct socket *s)
{
	return s->stream && is_vsock(s) ? vsock_take_error(vsock_of(s->stream))
					: 0;
}

static struct inet_port *stop_locked(struct inet_sock *i)
{
	struct inet_port *p = i->port;

	spin_lock(&room_lock);
	i->listening = false;
	i->port = NULL;
	spin_unlock(&room_lock);
	return p ? port_put_locked(p) : NULL;
}

static int inet_unlisten(struct socket *s)
{
	struct inet_port *p;

	mutex_lock(&inet_lock);
	p = stop_locked(s->priv);
	mutex_unlock(&inet_lock);
	port_free(p);
	return 0;
}

static void inet_release(struct socket *s)
{
	struct inet_sock *i = s->priv;
	struct inet_port *p;

	if (s->stream && s->linger_reset && is_vsock(s))
		vsock_kill(vsock_of(s->stream), ECONNRESET);
	else if (s->stream && s->linger_reset)
		local_reset(s->stream);
	if (!i)
		return;
	mutex_lock(&inet_lock);
	p = stop_locked(i);
	spin_lock(&room_lock);
	list_remove(&i->node);
	spin_unlock(&room_lock);
	mutex_unlock(&inet_lock);
	port_free(p);
	kfree(i);
}

static const struct socket_ops inet_ops = {
    .bind = inet_bind,
    .listen = inet_listen,
    .unlisten = inet_unlisten,
    SOCKET_STREAM_OPS,
    .connect_start = inet_connect,
    .connect_result = inet_connect_result,
    .is_connecting = inet_is_connecting,
    .setsockopt = inet_option_set,
    .getsockopt = inet_option_get,
    .release = inet_release,
};

static int tcp_socket(struct socket *s)
{
	struct inet_sock *i = kzalloc(sizeof(*i));

	if (!i)
		return -ENOBUFS;
	if (s->family == AF_INET)
		inet_any_v4(&i->addr);
	inet_export(&i->addr, s->family, &s->local);
	list_init(&i->node);
	i->s = s;
	s->protocol = IPPROTO_TCP;
	s->ops = &inet_ops;
	s->priv = i;
	return 0;
}

int inet_socket(struct socket *s)
{
	if (s->type == SOCK_STREAM &&
	    (!s->protocol || s->protocol == IPPROTO_TCP))
		return tcp_socket(s);
	if (s->type == SOCK_DGRAM &&
	    (!s->protocol || s->protocol == IPPROTO_UDP))
		return udp_socket(s);
	if (s->type == SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	return s->type == SOCK_RAW ? -EPERM : -EPROTONOSUPPORT;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AF_UNIX sockets: their making, connecting and ending; see unix.h.
 *
 * A connection is two sockets that point at each other.  connect(2) makes the
 * server's end itself and queues it at the listener; accept(2) takes it from
 * there.  Sockets in packets that nobody can receive any more (two that are
 * in each other's queue) are not collected; they end with the VM.
 */
#include "kernel/net/unix.h"
#include <asm/socket.h>
#include <linux/fcntl.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/unix_internal.h"

struct spinlock unix_lock = SPINLOCK_INIT;

static const struct socket_ops unix_ops;

static int init(struct socket *s)
{
	struct unix_sock *u = kzalloc(sizeof(*u));

	if (!u)
		return -ENOBUFS;
	u->s = s;
	list_init(&u->node);
	list_init(&u->clients);
	list_init(&u->client_node);
	packetq_init(&u->in);
	s->local.len = 2;
	s->local.family = AF_UNIX;
	s->peer = s->local;
	s->priv = u;
	s->ops = &unix_ops;
	return 0;
}

static int check_type(int type, int protocol)
{
	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	return type == SOCK_STREAM || type == SOCK_DGRAM ||
		       type == SOCK_SEQPACKET
		   ? 0
		   : -ESOCKTNOSUPPORT;
}

int unix_socket(struct socket *s)
{
	int err;

	if (s->type == SOCK_RAW)
		s->type = SOCK_DGRAM; /* as in Linux */
	err = check_type(s->type, s->protocol);
	s->protocol = 0;
	return err ? err : init(s);
}

static struct file *file_create(int type, unsigned flags)
{
	struct file *f = socket_create(AF_UNIX, type, flags);

	if (f && init(socket_of(f))) {
		file_put(f);
		return NULL;
	}
	return f;
}

static void link_locked(struct unix_sock *a, struct unix_sock *b)
{
	a->peer = b;
	a->s->peer_cred = socket_cred;
	a->s->peer = b->s->local;
	a->s->connected = true;
	if (unix_is_dgram(a))
		list_push_back(&b->clients, &a->client_node);
}

int unix_pair(int type, int protocol, unsigned flags, struct file *out[2])
{
	int err;

	if (type == SOCK_RAW)
		type = SOCK_DGRAM;
	err = check_type(type, protocol);
	if (err)
		return err;
	out[0] = file_create(type, flags);
	out[1] = file_create(type, flags);
	if (!out[0] || !out[1]) {
		for (int i = 0; i < 2; i++)
			if (out[i])
				file_put(out[i]);
		return -ENOBUFS;
	}
	spin_lock(&unix_lock);
	link_locked(unix_of(socket_of(out[0])), unix_of(socket_of(out[1])));
	link_locked(unix_of(socket_of(out[1])), unix_of(socket_of(out[0])));
	spin_unlock(&unix_lock);
	return 0;
}

static int unix_listen(struct socket *s)
{
	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (!s->bound || s->connected)
		return -EINVAL;
	s->peer_cred = socket_cred;
	s->listening = true;
	return 0;
}

static int unix_unlisten(struct socket *s)
{
	unix_of(s)->shut = STREAM_SHUT_RECV | STREAM_SHUT_SEND;
	waitq_wake_all(&socket_room, 0);
	return 0;
}

/* Take u away from its peer; what it leaves there says so. */
static void dgram_disconnect_locked(struct unix_sock *u)
{
	if (u->peer && u->peer->peer == u) {
		u->peer->error = ECONNRESET;
		waitq_wake_all(&u->peer->s->wait, POLL_ERR);
	}
	list_remove(&u->client_node);
	u->peer = NULL;
	u->peer_gone = false;
	u->s->connected = false;
}

static int dgram_connect_locked(
    struct unix_sock *u, const struct unix_target *t)
{
	struct unix_sock *to;
	int err;

	to = unix_target_locked(t, SOCK_DGRAM, &err);
	if (!to)
		return err;
	if (to->peer && to->peer != u)
		return -EPERM;
	if (u->peer != to && u->s->connected)
		dgram_disconnect_locked(u);
	list_remove(&u->client_node);
	u->peer_gone = false;
	link_locked(u, to);
	return 0;
}

static int dgram_connect(struct unix_sock *u, const struct sock_addr *a)
{
	struct unix_target t;
	int err;

	if (a->len >= 2 && a->family == AF_UNSPEC) {
		spin_lock(&unix_lock);
		dgram_disconnect_locked(u);
		spin_unlock(&unix_lock);
		return 0;
	}
	err = unix_target_find(&t, a);
	if (err)
		return err;
	spin_lock(&unix_lock);
	err = dgram_connect_locked(u, &t);
	spin_unlock(&unix_lock);
	unix_target_end(&t);
	return err;
}

/* The listener that t leads to, or NULL and why. */
static struct unix_sock *listener_locked(
    struct unix_sock *u, const struct unix_target *t, int *err)
{
	struct unix_sock *l = unix_target_locked(t, u->s->type, err);

	if (!l)
		return NULL;
	*err = -ECONNREFUSED;
	return l->s->listening && !(l->shut & STREAM_SHUT_RECV) ? l : NULL;
}

static bool listener_ready(struct unix_sock *u, const struct unix_target *t)
{
	struct unix_sock *l;
	bool yes;
	int err;

	spin_lock(&unix_lock);
	l = listener_locked(u, t, &err);
	yes = !l || socket_queue_has_room(l->s);
	spin_unlock(&unix_lock);
	return yes;
}

/* Connect to a listener's queue; -EAGAIN: it is full. */
static int join_locked(
    struct unix_sock *u, const struct unix_target *t, struct file *server)
{
	struct unix_sock *n = unix_of(socket_of(server)), *l;
	int err;

	l = listener_locked(u, t, &err);
	if (!l)
		return err;
	if (!socket_queue_has_room(l->s))
		return -EAGAIN;
	if (u->s->connected)
		return -EISCONN;
	if (u->s->listening)
		return -EINVAL;
	n->s->flags = l->s->flags;
	n->s->local = l->s->local;
	n->s->bound = n->embryo = true;
	link_locked(n, u);
	if (!socket_queue_push_ready(l->s, server, &u->s->local)) {
		n->peer = NULL;
		return -ECONNREFUSED;
	}
	link_locked(u, n);
	u->s->peer_cred = l->s->peer_cred;
	return 0;
}

static int stream_connect_to(
    struct unix_sock *u, const struct unix_target *t, struct file *server)
{
	uint64_t deadline = socket_deadline(u->s->send_timeout);
	int err;

	for (;;) {
		spin_lock(&unix_lock);
		err = join_locked(u, t, server);
		spin_unlock(&unix_lock);
		if (err != -EAGAIN || !socket_blocks(u->s, 0))
			return err;
		err = wait_event(
		    &socket_room, listener_ready(u, t), deadline, true);
		if (err)
			return socket_wait_error(err, u->s->send_timeout);
	}
}

static int stream_connect(struct unix_sock *u, const struct sock_addr *a)
{
	struct unix_target t;
	struct file *server;
	int err = unix_target_find(&t, a);

	if (err)
		return err;
	server = file_create(u->s->type, 0);
	err = server ? stream_connect_to(u, &t, server) : -ENOMEM;
	if (err && server)
		file_put(server);
	unix_target_end(&t);
	if (!err)
		waitq_wake_all(&u->s->wait, POLL_OUT);
	return err;
}

static int unix_connect(struct socket *s, const struct sock_addr *a)
{
	if (s->flags & SOCKET_FLAG(SO_PASSCRED) && !s->bound)
		(void)unix_autobind(s);
	return s->type == SOCK_DGRAM ? dgram_connect(unix_of(s), a)
				     : stream_connect(unix_of(s), a);
}

static int unix_error(struct socket *s)
{
	struct unix_sock *u = unix_of(s);
	int err;

	spin_lock(&unix_lock);
	err = u->error;
	u->error = 0;
	spin_unlock(&unix_lock);
	return err;
}

static bool is_connecting(struct socket *s)
{
	(void)s;
	return false;
}

static bool writable_locked(struct unix_sock *u)
{
	struct unix_sock *p = u->peer;

	if (!p)
		return true;
	if (unix_is_dgram(u) && p->peer != u)
		return !unix_queue_full_locked(u, p);
	return p->in.charge * 4 <= u->s->send_buffer;
}

static unsigned unix_poll(struct socket *s, struct poll_table *pt)
{
	struct unix_sock *u = unix_of(s);
	unsigned ev = 0;

	(void)pt; /* all that matters here wakes s->wait */
	spin_lock(&unix_lock);
	if (u->error)
		ev |= POLL_ERR;
	if (u->shut & STREAM_SHUT_RECV)
		ev |= POLL_RDHUP | POLL_IN;
	if (u->shut == (STREAM_SHUT_RECV | STREAM_SHUT_SEND) ||
	    (!unix_is_dgram(u) && !s->connected))
		ev |= POLL_HUP;
	if (!packetq_empty(&u->in))
		ev |= POLL_IN;
	if (writable_locked(u))
		ev |= POLL_OUT;
	spin_unlock(&unix_lock);
	return ev;
}

static int unix_shutdown(struct socket *s, unsigned how)
{
	struct unix_sock *u = unix_of(s);
	unsigned theirs = (how & STREAM_SHUT_RECV ? STREAM_SHUT_SEND : 0) |
			  (how & STREAM_SHUT_SEND ? STREAM_SHUT_RECV : 0);

	spin_lock(&unix_lock);
	u->shut |= how;
	if (!unix_is_dgram(u) && u->peer) {
		u->peer->shut |= theirs;
		waitq_wake_all(&u->peer->s->wait, 0);
	}
	spin_unlock(&unix_lock);
	waitq_wake_all(&s->wait, 0);
	waitq_wake_all(&socket_room, 0);
	return 0;
}

static size_t unix_pending(struct socket *s)
{
	struct unix_sock *u = unix_of(s);

	return unix_is_dgram(u) ? packetq_first(&u->in) : u->in.bytes;
}

static size_t unix_unsent(struct socket *s)
{
	struct unix_sock *u = unix_of(s);
	size_t n;

	spin_lock(&unix_lock);
	n = u->peer ? u->peer->in.charge : 0;
	spin_unlock(&unix_lock);
	return n;
}

static int unix_setsockopt(struct socket *s, int level, int name, int v)
{
	(void)s, (void)level, (void)name, (void)v;
	return -EOPNOTSUPP;
}

static int unix_getsockopt(struct socket *s, int level, int name, int *v)
{
	(void)s, (void)level, (void)name, (void)v;
	return -EOPNOTSUPP;
}

/* The other end learns that this one is gone; unread data, or that nobody
 * ever accepted it, is an error to it. */
static void connection_end_locked(struct unix_sock *u)
{
	struct unix_sock *p = u->peer;

	if (!p)
		return;
	p->shut = STREAM_SHUT_RECV | STREAM_SHUT_SEND;
	if (!packetq_empty(&u->in) || (u->embryo && !u->s->accepted))
		p->error = ECONNRESET;
	p->peer = NULL;
	waitq_wake_all(&p->s->wait, 0);
}

static void clients_end_locked(struct unix_sock *u)
{
	while (!list_empty(&u->clients)) {
		struct unix_sock *c =
		    list_first(&u->clients, struct unix_sock, client_node);
		list_remove(&c->client_node);
		c->peer = NULL;
		c->peer_gone = true;
		c->s->connected = false;
		waitq_wake_all(&c->s->wait, 0);
	}
}

static void unix_release(struct socket *s)
{
	struct unix_sock *u = unix_of(s);
	struct inode *inode;

	if (!u)
		return;
	spin_lock(&unix_lock);
	unix_unbind_locked(u, &inode);
	if (!unix_is_dgram(u))
		connection_end_locked(u);
	list_remove(&u->client_node);
	clients_end_locked(u);
	spin_unlock(&unix_lock);
	waitq_wake_all(&socket_room, 0);
	packetq_drain(&u->in);
	if (inode)
		inode_put(inode);
	kfree(u);
}

static const struct socket_ops unix_ops = {
    .bind = unix_bind,
    .listen = unix_listen,
    .unlisten = unix_unlisten,
    .connect = unix_connect,
    .send = unix_send,
    .recv = unix_recv,
    .poll = unix_poll,
    .shutdown = unix_shutdown,
    .pending = unix_pending,
    .unsent = unix_unsent,
    .connect_result = unix_error,
    .is_connecting = is_connecting,
    .setsockopt = unix_setsockopt,
    .getsockopt = unix_getsockopt,
    .release = unix_release,
};

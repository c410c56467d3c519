/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending and receiving on AF_UNIX sockets.
 *
 * A packet goes straight to the queue of the socket that will read it.  What
 * a sender may have under way is limited by its SO_SNDBUF; a datagram socket
 * that does not talk back to the sender takes DGRAM_QUEUE packets only, as
 * Linux's net.unix.max_dgram_qlen has it.
 */
#include <asm/socket.h>
#include "kernel/fs/file.h"
#include "kernel/net/unix.h"
#include "kernel/net/unix_internal.h"

#define DGRAM_QUEUE  10u
#define STREAM_PIECE (16 * KIB - 64 - sizeof(struct packet))

bool unix_queue_full_locked(const struct unix_sock *u, struct unix_sock *to)
{
	if (unix_is_dgram(u) && to != u && to->peer != u)
		return to->in.nr > DGRAM_QUEUE;
	return to->in.charge >= u->s->send_buffer;
}

/* The end of a connection's way out: 0 or why not. */
static int way_out_locked(const struct unix_sock *u)
{
	if (u->shut & STREAM_SHUT_SEND || !u->peer ||
	    u->peer->shut & STREAM_SHUT_RECV)
		return -EPIPE;
	return 0;
}

bool unix_may_send_locked(struct unix_sock *u)
{
	return way_out_locked(u) || !unix_queue_full_locked(u, u->peer);
}

static bool may_send(struct unix_sock *u)
{
	bool yes;

	spin_lock(&unix_lock);
	yes = unix_may_send_locked(u);
	spin_unlock(&unix_lock);
	return yes;
}

/* Wait until the connection has room or is over. */
static int connected_wait(
    struct unix_sock *u, const struct socket_msg *m, uint64_t deadline)
{
	int err;

	if (may_send(u))
		return 0;
	if (!socket_blocks(u->s, m->flags))
		return -EAGAIN;
	err = wait_event(&u->s->wait, may_send(u), deadline, true);
	return socket_wait_error(err, u->s->send_timeout);
}

static void push_locked(
    struct unix_sock *to, struct packet *p, struct socket_msg *m)
{
	p->cred = m->cred.pid ? m->cred : socket_cred;
	p->rights = m->rights;
	m->rights = NULL;
	packetq_push(&to->in, p);
	waitq_wake_sync(&to->s->wait, POLL_IN);
}

/* One packet of n bytes to the peer of a connection. */
static ssize_t connected_push(
    struct unix_sock *u, struct socket_msg *m, size_t n)
{
	struct packet *p;
	int err;

	p = packet_from_iter("", 0, &m->it, n, &err);
	if (!p)
		return err;
	spin_lock(&unix_lock);
	err = way_out_locked(u);
	if (!err)
		push_locked(u->peer, p, m);
	spin_unlock(&unix_lock);
	if (err)
		packet_free(p);
	return err ? err : (ssize_t)n;
}

static ssize_t stream_send(struct unix_sock *u, struct socket_msg *m)
{
	uint64_t deadline = socket_deadline(u->s->send_timeout);
	ssize_t done = 0, r = 0;

	if (m->to)
		return u->s->connected ? -EISCONN : -EOPNOTSUPP;
	if (!u->s->connected)
		return -ENOTCONN;
	spin_lock(&unix_lock);
	r = way_out_locked(u);
	spin_unlock(&unix_lock);
	while (m->it.left && r >= 0) {
		r = connected_wait(u, m, deadline);
		if (!r)
			r = connected_push(
			    u, m, min(m->it.left, (size_t)STREAM_PIECE));
		if (r > 0)
			done += r;
	}
	return done ? done : r;
}

static ssize_t seqpacket_send(struct unix_sock *u, struct socket_msg *m)
{
	uint64_t deadline = socket_deadline(u->s->send_timeout);
	ssize_t r;

	if (!u->s->connected)
		return -ENOTCONN;
	if (m->it.left > u->s->send_buffer - 32)
		return -EMSGSIZE;
	r = connected_wait(u, m, deadline);
	return r ? r : connected_push(u, m, m->it.left);
}

/* Where a datagram goes: the target, or the peer. */
static struct unix_sock *receiver_locked(
    struct unix_sock *u, const struct unix_target *t, int *err)
{
	struct unix_sock *to;

	if (t->addr) {
		to = unix_target_locked(t, SOCK_DGRAM, err);
	} else {
		to = u->peer;
		*err = u->peer_gone ? -ECONNREFUSED : -ENOTCONN;
	}
	if (to && to->peer && to->peer != u) {
		*err = -EPERM;
		return NULL;
	}
	if (to && to->shut & STREAM_SHUT_RECV) {
		*err = -EPIPE;
		return NULL;
	}
	return to;
}

/* Hand it over; -EAGAIN: there is no room. */
static int dgram_push(struct unix_sock *u, const struct unix_target *t,
    struct packet *p, struct socket_msg *m)
{
	struct unix_sock *to;
	int err = -EPIPE;

	spin_lock(&unix_lock);
	to = u->shut & STREAM_SHUT_SEND ? NULL : receiver_locked(u, t, &err);
	if (to) {
		err = unix_queue_full_locked(u, to) ? -EAGAIN : 0;
		if (!err)
			push_locked(to, p, m);
	} else if (err == -ECONNREFUSED && !t->addr) {
		u->peer_gone = false; /* said once */
	}
	spin_unlock(&unix_lock);
	return err;
}

static bool dgram_ready(struct unix_sock *u, const struct unix_target *t)
{
	struct unix_sock *to;
	int err;
	bool ready;

	spin_lock(&unix_lock);
	to = receiver_locked(u, t, &err);
	ready = !to || !unix_queue_full_locked(u, to);
	spin_unlock(&unix_lock);
	return ready;
}

static ssize_t dgram_send_to(
    struct unix_sock *u, const struct unix_target *t, struct socket_msg *m)
{
	uint64_t deadline = socket_deadline(u->s->send_timeout);
	size_t n = m->it.left;
	struct packet *p;
	int err;

	p = packet_from_iter(
	    u->s->local.bytes, u->s->local.len, &m->it, n, &err);
	if (!p)
		return err;
	while ((err = dgram_push(u, t, p, m)) == -EAGAIN) {
		if (!socket_blocks(u->s, m->flags))
			break;
		err =
		    wait_event(&socket_room, dgram_ready(u, t), deadline, true);
		err = socket_wait_error(err, u->s->send_timeout);
		if (err)
			break;
	}
	if (err)
		packet_free(p);
	return err ? err : (ssize_t)n;
}

static ssize_t dgram_send(struct unix_sock *u, struct socket_msg *m)
{
	struct unix_target t = {NULL, NULL};
	ssize_t r;

	if (m->it.left > u->s->send_buffer - 32)
		return -EMSGSIZE;
	if (u->s->flags & SOCKET_FLAG(SO_PASSCRED) && !u->s->bound)
		(void)unix_autobind(u->s);
	if (m->to) {
		r = unix_target_find(&t, m->to);
		if (r)
			return r;
	}
	r = dgram_send_to(u, &t, m);
	unix_target_end(&t);
	return r;
}

ssize_t unix_send(struct socket *s, struct socket_msg *m)
{
	struct unix_sock *u = unix_of(s);

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->type == SOCK_STREAM)
		return stream_send(u, m);
	return s->type == SOCK_DGRAM ? dgram_send(u, m) : seqpacket_send(u, m);
}

/* What has been read made room. */
static void room_made(struct unix_sock *u)
{
	struct unix_sock *c;

	spin_lock(&unix_lock);
	if (u->peer)
		waitq_wake_all(&u->peer->s->wait, POLL_OUT);
	list_for_each (c, &u->clients, client_node)
		waitq_wake_all(&c->s->wait, POLL_OUT);
	spin_unlock(&unix_lock);
	waitq_wake_all(&socket_room, POLL_OUT);
}

/* The queue was empty: a pending error, 0 at the end, -EAGAIN, or LOOK_AGAIN
 * if something has come in meanwhile. */
#define LOOK_AGAIN 1
static int end_of_input(struct unix_sock *u)
{
	int r = LOOK_AGAIN;

	spin_lock(&unix_lock);
	if (packetq_empty(&u->in)) {
		r = u->error                     ? -u->error
		    : u->shut & STREAM_SHUT_RECV ? 0
						 : -EAGAIN;
		u->error = 0;
	}
	spin_unlock(&unix_lock);
	return r;
}

static ssize_t take(struct unix_sock *u, struct socket_msg *m)
{
	ssize_t r;

	m->from.len = 0;
	if (u->s->type == SOCK_STREAM)
		r = packetq_read(&u->in, m);
	else
		r = packetq_take(
		    &u->in, m, m->from.bytes, SOCKADDR_MAX, &m->from.len);
	if (r >= 0 && !(m->flags & MSG_PEEK))
		room_made(u);
	if (r >= 0 && m->from.len <= 2)
		m->from.len = 0; /* nameless */
	return r;
}

static bool readable(struct unix_sock *u)
{
	return !packetq_empty(&u->in) || u->shut & STREAM_SHUT_RECV || u->error;
}

ssize_t unix_recv(struct socket *s, struct socket_msg *m)
{
	struct unix_sock *u = unix_of(s);
	bool stream = s->type == SOCK_STREAM;
	bool all = stream && m->flags & MSG_WAITALL && !(m->flags & MSG_PEEK);
	uint64_t deadline = socket_deadline(s->recv_timeout);
	ssize_t r, done = 0;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->type != SOCK_DGRAM && !s->connected)
		return stream ? -EINVAL : -ENOTCONN;
	if (stream && !m->it.left)
		return 0;
	for (;;) {
		r = take(u, m);
		if (r > 0)
			done += r;
		if (r >= 0 && !(all && m->it.left && !m->rights))
			break;
		if (r > 0)
			continue;
		if (r == -EAGAIN)
			r = end_of_input(u);
		if (r == LOOK_AGAIN)
			continue;
		if (r != -EAGAIN)
			break;
		if (!socket_blocks(s, m->flags) || (done && !all))
			break;
		r = wait_event(&s->wait, readable(u), deadline, true);
		r = socket_wait_error((int)r, s->recv_timeout);
		if (r)
			break;
	}
	return done ? done : r;
}

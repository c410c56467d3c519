/* SPDX-License-Identifier: BSD-2-Clause */
/* Stream sockets of any family; see socket.h. */
#include <linux/fcntl.h>
#include <asm/ioctls.h>
#include <asm/stat.h>
#include <linux/stat.h>
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/socket.h"
#include "kernel/net/socket_abi.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/thread.h"

#define BACKLOG_MIN                                                            \
	4096 /* there is no SYN queue in front for clients to wait in */
#define BACKLOG_MAX  4096
#define SHUT_WR_ONLY 1

static const struct file_ops socket_file_ops;

struct socket *socket_of(struct file *f)
{
	return f->ops == &socket_file_ops ? f->priv : NULL;
}

struct file *socket_create(int family, int type, unsigned flags)
{
	struct socket *s = kzalloc(sizeof(*s));
	struct file *f = file_alloc(&socket_file_ops, O_RDWR | flags);

	if (!s || !f) {
		kfree(s);
		kfree(f);
		return NULL;
	}
	s->family = family;
	s->type = type;
	s->file = f;
	mutex_init(&s->lock);
	waitq_init(&s->wait);
	list_init(&s->queue);
	s->recv_buffer = s->send_buffer = 212992;
	f->priv = s;
	return f;
}

struct file *socket_from_stream(
    const struct socket *like, struct stream *st, unsigned flags)
{
	struct file *f = socket_create(like->family, like->type, flags);
	struct socket *s;

	if (!f)
		return NULL;
	s = f->priv;
	s->ops = like->ops;
	s->protocol = like->protocol;
	s->flags = like->flags;
	s->recv_timeout = like->recv_timeout;
	s->send_timeout = like->send_timeout;
	s->stream = st;
	s->bound = s->connected = true;
	return f;
}

bool socket_queue_has_room(struct socket *s)
{
	return s->queue_len < s->backlog;
}

bool socket_queue_push(struct socket *s, struct stream *st,
    const struct sock_addr *local, const struct sock_addr *peer)
{
	struct pending_conn *p = kmalloc(sizeof(*p));
	bool ok;

	if (!p)
		return false;
	p->stream = st;
	p->local = *local;
	p->peer = *peer;
	spin_lock(&s->queue_lock);
	ok = s->listening;
	if (ok) {
		list_push_back(&s->queue, &p->node);
		s->queue_len++;
	}
	spin_unlock(&s->queue_lock);
	if (!ok)
		kfree(p);
	else
		waitq_wake_all(&s->wait, POLL_IN);
	return ok;
}

static struct pending_conn *queue_pop(struct socket *s)
{
	struct pending_conn *p = NULL;

	spin_lock(&s->queue_lock);
	if (!list_empty(&s->queue)) {
		p = list_first(&s->queue, struct pending_conn, node);
		list_remove(&p->node);
		s->queue_len--;
	}
	spin_unlock(&s->queue_lock);
	return p;
}

int socket_listen(struct socket *s, int backlog)
{
	int err = 0;

	MUTEX_GUARD(&s->lock);
	if (s->stream)
		return -EINVAL;
	s->backlog = (unsigned)min(max(backlog, BACKLOG_MIN), BACKLOG_MAX);
	if (!s->listening)
		err = s->ops->listen(s);
	return err;
}

static uint64_t timeout_deadline(uint64_t timeout)
{
	return timeout ? clock_monotonic() + timeout : DEADLINE_NEVER;
}

/* A wait's result as the caller of a socket call sees it: with a time-out
 * set, an interrupted call is not restarted (signal(7)). */
static int wait_error(int err, uint64_t timeout)
{
	if (err == -ETIMEDOUT)
		return -EAGAIN;
	return err == -ERESTARTSYS && timeout ? -EINTR : err;
}

int socket_accept(
    struct socket *s, unsigned flags, struct sock_addr *peer, struct file **out)
{
	struct pending_conn *p;
	struct socket *n;
	int err;

	while (!(p = queue_pop(s))) {
		if (!s->listening)
			return -EINVAL;
		if (s->file->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event(&s->wait,
		    !list_empty(&s->queue) || !s->listening,
		    timeout_deadline(s->recv_timeout), true);
		if (err)
			return wait_error(err, s->recv_timeout);
	}
	*out = socket_from_stream(s, p->stream, flags);
	if (!*out) {
		p->stream->ops->close(p->stream);
		kfree(p);
		return -ENOBUFS;
	}
	n = (*out)->priv;
	n->local = p->local;
	n->peer = *peer = p->peer;
	kfree(p);
	return 0;
}

/* Wait for a connect under way; its result is given once. */
static int connect_wait(struct socket *s)
{
	struct stream *st = s->stream;
	int err = 0;

	if (s->ops->is_connecting(s)) {
		if (s->file->flags & O_NONBLOCK)
			return -EINPROGRESS;
		err = wait_event(&st->wait, !s->ops->is_connecting(s),
		    timeout_deadline(s->send_timeout), true);
	}
	if (err == -ETIMEDOUT)
		return -EINPROGRESS;
	if (err)
		return wait_error(err, s->send_timeout);
	s->connecting = false;
	err = -s->ops->connect_result(s);
	s->connected = err == 0;
	return err;
}

int socket_connect(struct socket *s, const struct sock_addr *a)
{
	int err;

	MUTEX_GUARD(&s->lock);
	if (s->listening)
		return -EISCONN;
	if (s->connecting) {
		if (s->ops->is_connecting(s))
			return s->file->flags & O_NONBLOCK ? -EALREADY
							   : connect_wait(s);
		return connect_wait(s);
	}
	if (s->stream) {
		if (s->connected)
			return -EISCONN;
		/* A failed attempt may be followed by another. */
		s->stream->ops->close(s->stream);
		s->stream = NULL;
	}
	err = s->ops->connect(s, a);
	if (err && err != -EINPROGRESS)
		return err;
	s->peer = *a;
	s->connecting = err == -EINPROGRESS;
	s->connected = err == 0;
	waitq_wake_all(&s->wait, 0); /* pollers: there is a stream now */
	return err ? connect_wait(s) : 0;
}

static ssize_t send_wait(struct socket *s, struct iov_iter *it, bool block)
{
	struct stream *st = s->stream;
	uint64_t deadline = timeout_deadline(s->send_timeout);
	ssize_t r, done = 0;
	int err;

	MUTEX_GUARD(&st->send_lock);
	do {
		r = st->ops->send(st, it);
		if (r > 0)
			done += r;
		if (r != -EAGAIN)
			continue;
		if (!block)
			break;
		err = wait_event(
		    &st->wait, st->ops->poll(st) & POLL_OUT, deadline, true);
		if (err) {
			r = wait_error(err, s->send_timeout);
			break;
		}
		r = 1;
	} while (it->left && r > 0);
	return done ? done : r;
}

ssize_t socket_send(struct socket *s, struct iov_iter *it, unsigned flags)
{
	bool block = !(s->file->flags & O_NONBLOCK || flags & MSG_DONTWAIT);
	ssize_t r = -EPIPE;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->connecting && !s->ops->is_connecting(s)) {
		s->connecting = false;
		s->connected = true; /* or failed: the stream says so */
	}
	if (s->stream && s->connecting)
		r = -EAGAIN;
	else if (s->stream)
		r = it->left ? send_wait(s, it, block) : 0;
	if (r == -EPIPE && !(flags & MSG_NOSIGNAL))
		(void)signal_send_thread(thread_current(), SIG_PIPE, NULL);
	return r;
}

ssize_t socket_recv(struct socket *s, struct iov_iter *it, unsigned flags)
{
	bool block = !(s->file->flags & O_NONBLOCK || flags & MSG_DONTWAIT);
	bool all = flags & MSG_WAITALL && !(flags & MSG_PEEK);
	uint64_t deadline = timeout_deadline(s->recv_timeout);
	struct stream *st = s->stream;
	ssize_t r, done = 0;
	int err;

	if (flags & MSG_OOB)
		return -EINVAL;
	if (!st)
		return -ENOTCONN;
	if (!it->left)
		return 0;
	MUTEX_GUARD(&st->recv_lock);
	for (;;) {
		r = st->ops->recv(st, it, flags & MSG_PEEK);
		if (r > 0)
			done += r;
		if (r != -EAGAIN && !(r > 0 && all && it->left))
			break;
		if (r > 0)
			continue;
		if (!block || (done && !all))
			break;
		err = wait_event(
		    &st->wait, st->ops->poll(st) & POLL_IN, deadline, true);
		if (err) {
			r = wait_error(err, s->recv_timeout);
			break;
		}
	}
	return done ? done : r;
}

/* Connections that nobody will accept. */
static void queue_stop(struct socket *s)
{
	struct pending_conn *p;

	spin_lock(&s->queue_lock);
	s->listening = false;
	spin_unlock(&s->queue_lock);
	while ((p = queue_pop(s))) {
		p->stream->ops->close(p->stream);
		kfree(p);
	}
}

int socket_no_unlisten(struct socket *s)
{
	(void)s;
	return -ENOTCONN;
}

/* Those who wait in accept or poll a listener learn that it is none. */
static int listener_shutdown(struct socket *s)
{
	int err;

	MUTEX_GUARD(&s->lock);
	if (!s->listening)
		return -ENOTCONN;
	err = s->ops->unlisten(s);
	if (err)
		return err;
	queue_stop(s);
	waitq_wake_all(&s->wait, POLL_HUP | POLL_OUT);
	return 0;
}

int socket_shutdown(struct socket *s, int how)
{
	if (how < 0 || how > 2)
		return -EINVAL;
	if (s->listening)
		return how == SHUT_WR_ONLY ? 0 : listener_shutdown(s);
	if (!s->stream || (!s->connected && s->connecting))
		return -ENOTCONN;
	s->stream->ops->shutdown(s->stream, (unsigned)how + 1);
	return 0;
}

static ssize_t socket_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	(void)pos;
	return socket_recv(f->priv, it, 0);
}

static ssize_t socket_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	(void)pos;
	return socket_send(f->priv, it, 0);
}

static unsigned socket_poll(struct file *f, struct poll_table *pt)
{
	struct socket *s = f->priv;

	poll_add(pt, &s->wait);
	if (s->listening)
		return list_empty(&s->queue) ? 0 : POLL_IN;
	if (!s->stream)
		return POLL_OUT | POLL_HUP;
	poll_add(pt, &s->stream->wait);
	return s->stream->ops->poll(s->stream);
}

static long socket_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
	struct socket *s = f->priv;
	int n = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	if (s->listening)
		return -EINVAL;
	if (s->stream)
		n = (int)s->stream->ops->pending(s->stream);
	return put_user((int *)arg, n);
}

static int socket_stat(struct file *f, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFSOCK | 0777;
	st->st_ino = (uintptr_t)f->priv >> 4 & 0xffffffff;
	st->st_nlink = 1;
	st->st_blksize = 4096;
	return 0;
}

static void socket_release(struct file *f)
{
	struct socket *s = f->priv;

	spin_lock(&s->queue_lock);
	s->listening = false;
	spin_unlock(&s->queue_lock);
	if (s->ops)
		s->ops->release(s);
	queue_stop(s);
	if (s->stream)
		s->stream->ops->close(s->stream);
	kfree(s);
}

static const struct file_ops socket_file_ops = {
    .read = socket_read,
    .write = socket_write,
    .seek = file_no_seek,
    .poll = socket_poll,
    .ioctl = socket_ioctl,
    .stat = socket_stat,
    .mmap = file_no_mmap,
    .flush = file_no_flush,
    .fsync = file_no_fsync,
    .release = socket_release,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets of any family, and how stream sockets wait; see socket.h. */
#include <linux/fcntl.h>
#include <linux/sockios.h>
#include <asm/ioctls.h>
#include <asm/stat.h>
#include <linux/stat.h>
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/net/inet_option.h"
#include "kernel/net/interface.h"
#include "kernel/net/socket.h"
#include "kernel/net/socket_abi.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/process.h"
#include "kernel/sched/thread.h"

/* There is no SYN queue in front for clients to wait in. */
#define BACKLOG_MIN  4096
#define BACKLOG_MAX  4096u
#define SHUT_WR_ONLY 1

static const struct file_ops socket_file_ops;
struct sock_cred socket_cred = {.pid = PROCESS_PID};
struct waitq socket_room = WAITQ_INIT(socket_room);

struct socket *socket_of(struct file *f)
{
	return f->ops == &socket_file_ops ? f->priv : NULL;
}

struct file *socket_create(int family, int type, unsigned flags)
{
	static uint64_t last_cookie; /* [a] */
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
	s->peer_cred = (struct sock_cred){0, UINT32_MAX, UINT32_MAX};
	s->cookie = __atomic_add_fetch(&last_cookie, 1, __ATOMIC_RELAXED);
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
	s->recv_buffer = like->recv_buffer;
	s->send_buffer = like->send_buffer;
	s->linger_on = like->linger_on;
	s->linger_seconds = like->linger_seconds;
	s->linger_reset = like->linger_reset;
	if (like->options)
		s->options = inet_values_copy(like->options);
	s->stream = st;
	s->bound = s->connected = true;
	return f;
}

bool socket_queue_has_room(struct socket *s)
{
	return s->queue_len < s->backlog;
}

static bool push(struct socket *s, const struct pending_conn *conn)
{
	struct pending_conn *p = kmalloc(sizeof(*p));
	bool ok;

	if (!p)
		return false;
	*p = *conn;
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
		waitq_wake_sync(&s->wait, POLL_IN);
	return ok;
}

bool socket_queue_push(struct socket *s, struct stream *st,
    const struct sock_addr *local, const struct sock_addr *peer)
{
	struct pending_conn p = {.stream = st, .local = *local, .peer = *peer};

	return push(s, &p);
}

bool socket_queue_push_ready(
    struct socket *s, struct file *ready, const struct sock_addr *peer)
{
	struct pending_conn p = {.ready = ready, .peer = *peer};

	return push(s, &p);
}

static void pending_drop(struct pending_conn *p)
{
	if (p->ready)
		file_put(p->ready);
	else
		p->stream->ops->close(p->stream);
	kfree(p);
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
	/* Linux queues one more than asked for. */
	if (s->family == AF_UNIX)
		s->backlog = (unsigned)min((unsigned)backlog, BACKLOG_MAX) + 1;
	else
		s->backlog =
		    (unsigned)min(max(backlog, BACKLOG_MIN), (int)BACKLOG_MAX);
	if (!s->listening)
		err = s->ops->listen(s);
	return err;
}

uint64_t socket_deadline(uint64_t timeout)
{
	return timeout ? clock_monotonic() + timeout : DEADLINE_NEVER;
}

/* A wait's result as the caller of a socket call sees it: with a time-out
 * set, an interrupted call is not restarted (signal(7)). */
int socket_wait_error(int err, uint64_t timeout)
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

	if (s->type != SOCK_STREAM && s->type != SOCK_SEQPACKET)
		return -EOPNOTSUPP;
	while (!(p = queue_pop(s))) {
		if (!s->listening)
			return -EINVAL;
		if (s->file->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event(&s->wait,
		    !list_empty(&s->queue) || !s->listening,
		    socket_deadline(s->recv_timeout), true);
		if (err)
			return socket_wait_error(err, s->recv_timeout);
	}
	*peer = p->peer;
	if (p->ready) {
		*out = p->ready;
		(*out)->flags |= flags;
		n = (*out)->priv;
		n->accepted = true;
		kfree(p);
		waitq_wake_all(&socket_room, 0);
		return 0;
	}
	*out = socket_from_stream(s, p->stream, flags);
	if (!*out) {
		pending_drop(p);
		return -ENOBUFS;
	}
	n = (*out)->priv;
	n->local = p->local;
	n->peer = p->peer;
	n->accepted = true;
	kfree(p);
	return 0;
}

bool socket_blocks(const struct socket *s, unsigned flags)
{
	return !(s->file->flags & O_NONBLOCK || flags & MSG_DONTWAIT);
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
		    socket_deadline(s->send_timeout), true);
	}
	if (err == -ETIMEDOUT)
		return -EINPROGRESS;
	if (err)
		return socket_wait_error(err, s->send_timeout);
	s->connecting = false;
	err = -s->ops->connect_result(s);
	s->connected = err == 0;
	return err;
}

int socket_stream_connect(struct socket *s, const struct sock_addr *a)
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
		s->stream->next = s->failed;
		s->failed = s->stream;
		s->stream = NULL;
	}
	err = s->ops->connect_start(s, a);
	if (err && err != -EINPROGRESS)
		return err;
	s->peer = *a;
	s->connecting = err == -EINPROGRESS;
	s->connected = err == 0;
	waitq_wake_all(&s->wait, 0); /* pollers: there is a stream now */
	return err ? connect_wait(s) : 0;
}

static ssize_t send_wait(
    struct socket *s, struct stream *st, struct iov_iter *it, bool block)
{
	uint64_t deadline = socket_deadline(s->send_timeout);
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
			r = socket_wait_error(err, s->send_timeout);
			break;
		}
		r = 1;
	} while (it->left && r > 0);
	return done ? done : r;
}

/* A destination on a connected stream is ignored, as Linux does for TCP. */
ssize_t socket_stream_send(struct socket *s, struct socket_msg *m)
{
	bool block = socket_blocks(s, m->flags);
	struct stream *st;
	ssize_t r = -EPIPE;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (s->connecting && !s->ops->is_connecting(s)) {
		s->connecting = false;
		s->connected = true; /* or failed: the stream says so */
	}
	st = socket_stream(s);
	if (st && s->connecting)
		r = -EAGAIN;
	else if (st)
		r = m->it.left ? send_wait(s, st, &m->it, block) : 0;
	return r;
}

ssize_t socket_send(struct socket *s, struct socket_msg *m)
{
	ssize_t r = s->ops->send(s, m);

	if (r == -EPIPE && s->type == SOCK_STREAM && !(m->flags & MSG_NOSIGNAL))
		(void)signal_send_thread(thread_current(), SIG_PIPE, NULL);
	return r;
}

ssize_t socket_stream_recv(struct socket *s, struct socket_msg *m)
{
	bool block = socket_blocks(s, m->flags);
	bool all = m->flags & MSG_WAITALL && !(m->flags & MSG_PEEK);
	uint64_t deadline = socket_deadline(s->recv_timeout);
	struct stream *st = socket_stream(s);
	ssize_t r, done = 0;
	int err;

	if (m->flags & MSG_OOB)
		return -EINVAL;
	if (!st)
		return -ENOTCONN;
	if (!m->it.left)
		return 0;
	MUTEX_GUARD(&st->recv_lock);
	for (;;) {
		r = st->ops->recv(st, &m->it, m->flags & MSG_PEEK);
		if (r > 0)
			done += r;
		if (r != -EAGAIN && !(r > 0 && all && m->it.left))
			break;
		if (r > 0)
			continue;
		if (!block || (done && !all))
			break;
		err = wait_event_tried(
		    &st->wait, st->ops->poll(st) & POLL_IN, deadline, true);
		if (err) {
			r = socket_wait_error(err, s->recv_timeout);
			break;
		}
	}
	return done ? done : r;
}

ssize_t socket_recv(struct socket *s, struct socket_msg *m)
{
	return s->ops->recv(s, m);
}

/* Connections that nobody will accept. */
static void queue_stop(struct socket *s)
{
	struct pending_conn *p;

	spin_lock(&s->queue_lock);
	s->listening = false;
	spin_unlock(&s->queue_lock);
	while ((p = queue_pop(s)))
		pending_drop(p);
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
	return s->ops->shutdown(s, (unsigned)how + 1);
}

int socket_stream_shutdown(struct socket *s, unsigned how)
{
	struct stream *st = socket_stream(s);

	if (!st || (!s->connected && s->connecting))
		return -ENOTCONN;
	st->ops->shutdown(st, how);
	return 0;
}

static ssize_t socket_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct socket_msg m;
	ssize_t r;

	(void)pos;
	socket_msg_init(&m, 0);
	m.it = *it;
	r = socket_recv(f->priv, &m);
	rights_free(m.rights);
	*it = m.it;
	return r;
}

static ssize_t socket_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct socket_msg m;
	ssize_t r;

	(void)pos;
	socket_msg_init(&m, 0);
	m.it = *it;
	r = socket_send(f->priv, &m);
	*it = m.it;
	return r;
}

unsigned socket_stream_poll(struct socket *s, struct poll_table *pt)
{
	struct stream *st = socket_stream(s);

	if (!st)
		return POLL_OUT | POLL_HUP;
	poll_add(pt, &st->wait);
	return st->ops->poll(st);
}

static unsigned socket_poll(struct file *f, struct poll_table *pt)
{
	struct socket *s = f->priv;

	poll_add(pt, &s->wait);
	if (s->listening)
		return list_empty(&s->queue) ? 0 : POLL_IN;
	return s->ops->poll(s, pt);
}

size_t socket_stream_pending(struct socket *s)
{
	struct stream *st = socket_stream(s);

	return st ? st->ops->pending(st) : 0;
}

size_t socket_no_unsent(struct socket *s)
{
	(void)s;
	return 0;
}

static long socket_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
	struct socket *s = f->priv;

	if (cmd != FIONREAD && cmd != SIOCOUTQ)
		return interface_ioctl(s->family, cmd, (void *)arg);
	if (s->listening)
		return -EINVAL;
	return put_user((int *)arg,
	    (int)(cmd == FIONREAD ? s->ops->pending(s) : s->ops->unsent(s)));
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
	struct stream *st;

	spin_lock(&s->queue_lock);
	s->listening = false;
	spin_unlock(&s->queue_lock);
	if (s->ops)
		s->ops->release(s);
	queue_stop(s);
	if (s->stream)
		s->stream->ops->close(s->stream);
	while ((st = s->failed)) {
		s->failed = st->next;
		st->ops->close(st);
	}
	kfree(s->options);
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

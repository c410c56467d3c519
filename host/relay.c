/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Relaying between streams and descriptors; see relay.h.
 *
 * Descriptors are watched by edges: each keeps what it is believed to be
 * able to do, which a short read or write, or EAGAIN, takes back.
 */
#include "host/relay.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/util.h"

struct relay_bytes relay_bytes;

static void relay_ready(struct loop_fd *io, uint32_t events)
{
	struct relay *r = container_of(io, struct relay, io);

	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		r->hangup = true;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
		r->readable = true;
		if (r->s && r->flags & RELAY_IN)
			vsock_in_ready(r->s);
	}
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
		r->writable = true;
		if (r->s && r->flags & RELAY_OUT)
			vsock_out_ready(r->s);
	}
}

int relay_start(struct relay *r, int fd, unsigned flags)
{
	uint32_t events = EPOLLET;
	int ret;

	r->io.fd = fd;
	r->io.ready = relay_ready;
	r->flags = flags;
	r->readable = r->writable = true;
	if (flags & RELAY_IN)
		events |= EPOLLIN | EPOLLRDHUP;
	if (flags & RELAY_OUT)
		events |= EPOLLOUT;
	ret = loop_add(&r->io, events);
	return ret == -EPERM ? 0 : ret; /* a file: always ready */
}

void relay_head(struct relay *r, const void *data, size_t len)
{
	struct iovec iov = {must_alloc(len), len};

	iov_write(&iov, 1, 0, data, len);
	free(r->head);
	r->head = iov.iov_base;
	r->head_len = len;
	r->head_at = 0;
}

void relay_stop(struct relay *r, bool reset)
{
	struct linger now = {.l_onoff = 1};

	loop_del(&r->io);
	if (r->io.fd >= 0) {
		if (reset && r->flags & RELAY_SOCKET)
			setsockopt(
			    r->io.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(r->io.fd);
	}
	r->io.fd = -1;
	free(r->head);
	r->head = NULL;
}

static ssize_t head_in(struct relay *r, struct iovec *iov, int n)
{
	size_t len = iov_write(
	    iov, n, 0, r->head + r->head_at, r->head_len - r->head_at);

	r->head_at += len;
	if (r->head_at == r->head_len) {
		free(r->head);
		r->head = NULL;
	}
	return (ssize_t)len;
}

/* For descriptors that block: whether one read or small write would not. */
static bool fd_can(struct relay *r, short events)
{
	struct pollfd p = {.fd = r->io.fd, .events = events};

	return !(r->flags & RELAY_BLOCKS) || poll(&p, 1, 0) > 0;
}

ssize_t relay_in(struct vsock_stream *s, struct iovec *iov, int n)
{
	struct relay *r = s->arg;
	size_t want = 0;
	ssize_t got;

	if (r->head)
		return head_in(r, iov, n);
	if (!(r->flags & RELAY_IN))
		return r->in_end ? 0 : -EAGAIN;
	if (!r->readable || !fd_can(r, POLLIN)) {
		r->readable = false;
		return -EAGAIN;
	}
	for (int i = 0; i < n; i++)
		want += iov[i].iov_len;
	do {
		got = readv(r->io.fd, iov, n);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && errno != EAGAIN)
		return errno == EIO ? 0
				    : -errno; /* EIO: the terminal is gone */
	if (got > 0 && r->flags & RELAY_COUNT)
		relay_bytes.in += (uint64_t)got;
	if (got < 0 ||
	    ((size_t)got < want && r->flags & RELAY_SOCKET && !r->hangup))
		r->readable = false;
	return got < 0 ? -EAGAIN : got;
}

static ssize_t fd_write(struct relay *r, const struct iovec *iov, int n)
{
	struct msghdr mh = {
	    .msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n};

	if (r->flags & RELAY_SOCKET)
		return sendmsg(r->io.fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (r->flags & RELAY_BLOCKS) {
		if (!fd_can(r, POLLOUT)) {
			errno = EAGAIN;
			return -1;
		}
		return write(
		    r->io.fd, iov[0].iov_base, MIN(iov[0].iov_len, PIPE_BUF));
	}
	return writev(r->io.fd, iov, n);
}

ssize_t relay_out(struct vsock_stream *s, const struct iovec *iov, int n)
{
	struct relay *r = s->arg;
	size_t want = 0;
	ssize_t put;

	if (!(r->flags & RELAY_OUT))
		return -EPIPE;
	if (!r->writable)
		return -EAGAIN;
	for (int i = 0; i < n; i++)
		want += iov[i].iov_len;
	do {
		put = fd_write(r, iov, n);
	} while (put < 0 && errno == EINTR);
	if (put < 0 && errno != EAGAIN) {
		r->out_error = errno;
		return r->flags & RELAY_SOCKET ? -ECONNRESET : -EPIPE;
	}
	if (put > 0)
		r->out_bytes += (uint64_t)put;
	if (put > 0 && r->flags & RELAY_COUNT)
		relay_bytes.out += (uint64_t)put;
	if (put < 0 || (size_t)put < want)
		r->writable = false;
	if (r->flags & RELAY_BLOCKS && put > 0) { /* no edge will come */
		r->writable = true;
		vsock_out_ready(s);
	}
	return put < 0 ? -EAGAIN : put;
}

void relay_out_end(struct vsock_stream *s)
{
	struct relay *r = s->arg;

	if (r->flags & RELAY_SOCKET)
		shutdown(r->io.fd, SHUT_WR);
	if (!(r->flags & RELAY_IN)) {
		r->in_end = true;
		vsock_in_ready(s);
	}
}

void relay_closed(struct vsock_stream *s, int err)
{
	struct relay *r = s->arg;

	r->s = NULL;
	r->done(r, err);
}

static void relay_opened(struct vsock_stream *s)
{
	(void)s;
}

const struct vsock_user relay_user = {
    .opened = relay_opened,
    .in = relay_in,
    .out = relay_out,
    .out_end = relay_out_end,
    .closed = relay_closed,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams carried by the kernel's vhost-vsock: AF_VSOCK sockets.
 *
 * Bytes go through one buffer of the process; what a stream's `out` does not
 * take of it is kept with the stream, which then is not read until it is
 * gone.  Everything happens in one task per turn, as for the built-in
 * device, so that a user's callback is never entered from within another.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/vm_sockets.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/run.h"

#define PORT_FIRST 0x40000000u
#define CHUNK      65536

struct carried {
	struct vsock_stream s;
	struct loop_fd io;
	struct loop_task task;
	struct buf kept[2]; /* for the guest, from it */
	bool open, in_ready, out_ready, readable, writable;
	bool in_ended, out_ended; /* each half, passed on */
	bool read_ended;          /* the guest's half, before `kept` is */
	bool discard, over;       /* -EPIPE was said; `closed` was called */
};

struct kernel_vsock {
	struct vsock v;
	struct loop_fd listen[CTL_PORTS];
};

enum { FOR_GUEST, FROM_GUEST };

static void carried_end(struct carried *c, int err, bool tell)
{
	struct linger now = {.l_onoff = 1};

	if (c->over)
		return;
	c->over = true;
	loop_del(&c->io);
	if (err)
		setsockopt(c->io.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(c->io.fd);
	if (tell)
		c->s.user->closed(&c->s, err);
	buf_drop(&c->kept[0]);
	buf_drop(&c->kept[1]);
	if (!c->task.queued)
		loop_free(c); /* else the task does */
}

/* Pass on what was kept from the guest: 0 when all is gone, or -errno. */
static int carried_out(struct carried *c)
{
	struct buf *b = &c->kept[FROM_GUEST];

	while (buf_len(b)) {
		struct iovec iov = {buf_at(b), buf_len(b)};
		ssize_t took = (ssize_t)iov.iov_len;

		if (!c->discard)
			took = c->out_ready ? c->s.user->out(&c->s, &iov, 1)
					    : -EAGAIN;
		if (took == -EPIPE) {
			c->discard = true;
			shutdown(c->io.fd, SHUT_RD);
			continue;
		}
		if (took == -EAGAIN)
			c->out_ready = false;
		if (took < 0)
			return (int)took;
		buf_take(b, (size_t)took);
	}
	return 0;
}

/* Read from the guest and pass it on: whether to go on later, or -errno. */
static int carried_read(struct carried *c)
{
	static uint8_t data[CHUNK];
	int ret = carried_out(c);
	ssize_t got;

	if (ret)
		return ret == -EAGAIN ? 0 : ret;
	if (c->read_ended && !c->out_ended) {
		c->out_ended = true;
		c->s.user->out_end(&c->s);
	}
	if (!c->readable || c->read_ended)
		return 0;
	got = recv(c->io.fd, data, sizeof(data), MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		c->readable = errno == EINTR;
		return c->readable;
	}
	if (got < 0)
		return -errno;
	if (got)
		buf_add(&c->kept[FROM_GUEST], data, (size_t)got);
	else
		c->read_ended = true;
	return 1;
}

static int carried_write(struct carried *c)
{
	static uint8_t data[CHUNK];
	struct buf *b = &c->kept[FOR_GUEST];
	struct iovec iov = {data, sizeof(data)};
	ssize_t n;

	if (!buf_len(b) && c->in_ready && !c->in_ended) {
		n = c->s.user->in(&c->s, &iov, 1);
		if (n == -EAGAIN)
			c->in_ready = false;
		else if (n < 0)
			return (int)n;
		else if (n)
			buf_add(b, data, (size_t)n);
		else
			c->in_ended = !shutdown(c->io.fd, SHUT_WR);
	}
	if (!buf_len(b) || !c->writable)
		return 0;
	n = send(c->io.fd, buf_at(b), buf_len(b), MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	if (n < 0) {
		c->writable = errno == EINTR;
		return c->writable;
	}
	buf_take(b, (size_t)n);
	return 1;
}

static void carried_run(struct loop_task *task)
{
	struct carried *c = container_of(task, struct carried, task);
	int in = 0, out = 0;

	if (c->over) {
		loop_free(c);
		return;
	}
	if (!c->open)
		return;
	out = carried_read(c);
	if (out >= 0)
		in = carried_write(c);
	if (in < 0 || out < 0)
		carried_end(c, in < 0 ? in : out, true);
	else if (c->in_ended && c->out_ended)
		carried_end(c, 0, true);
	else if (in || out)
		loop_defer(&c->task);
}

static void carried_ready(struct loop_fd *io, uint32_t events)
{
	struct carried *c = container_of(io, struct carried, io);
	int err = 0;
	socklen_t len = sizeof(err);

	if (!c->open) {
		getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &err, &len);
		if (err) {
			carried_end(c, -err, true);
			return;
		}
		if (!(events & EPOLLOUT))
			return;
		c->open = true;
		c->s.user->opened(&c->s);
	}
	c->readable |= (events & ~(uint32_t)EPOLLOUT) != 0;
	c->writable |= (events & ~(uint32_t)EPOLLIN) != 0;
	loop_defer(&c->task);
}

static void carried_in_ready(struct vsock_stream *s)
{
	struct carried *c = container_of(s, struct carried, s);

	c->in_ready = true;
	loop_defer(&c->task);
}

static void carried_out_ready(struct vsock_stream *s)
{
	struct carried *c = container_of(s, struct carried, s);

	c->out_ready = true;
	loop_defer(&c->task);
}

static void carried_abort(struct vsock_stream *s)
{
	carried_end(container_of(s, struct carried, s), -ECONNABORTED, false);
}

static const struct vsock_carrier carrier = {
    .in_ready = carried_in_ready,
    .out_ready = carried_out_ready,
    .abort = carried_abort,
};

static struct carried *carried_new(int fd)
{
	struct carried *c = must_alloc(sizeof(*c));

	c->io.fd = fd;
	c->io.ready = carried_ready;
	c->task.run = carried_run;
	c->s.carrier = &carrier;
	c->in_ready = c->out_ready = true;
	return c;
}

static int carried_watch(struct carried *c)
{
	return loop_add(&c->io, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

static int kernel_connect(struct vsock *v, uint32_t port,
    const struct vsock_user *user, void *arg, struct vsock_stream **out)
{
	struct sockaddr_vm to = {
	    .svm_family = AF_VSOCK, .svm_cid = v->guest_cid, .svm_port = port};
	int fd =
	    socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct carried *c;
	int ret = 0;

	if (fd < 0)
		return -errno;
	c = carried_new(fd);
	c->s.user = user;
	c->s.arg = arg;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) &&
	    errno != EINPROGRESS)
		ret = -errno;
	if (!ret)
		ret = carried_watch(c);
	if (ret) {
		close(fd);
		loop_free(c);
		return ret;
	}
	*out = &c->s;
	return 0;
}

static void listen_ready(struct loop_fd *io, uint32_t events)
{
	struct kernel_vsock *k = container_of(run.v, struct kernel_vsock, v);
	struct sockaddr_vm from = {0};
	socklen_t len = sizeof(from);
	int fd = accept4(io->fd, (struct sockaddr *)&from, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct carried *c;

	(void)events;
	if (fd < 0)
		return;
	c = carried_new(fd);
	c->open = true;
	if (from.svm_cid == k->v.guest_cid &&
	    !k->v.accept(&k->v, &c->s, (unsigned)(io - k->listen))) {
		if (carried_watch(c))
			carried_end(c, -EIO, true);
		return;
	}
	close(fd); /* another machine's, or refused */
	loop_free(c);
}

static void kernel_stop(struct vsock *v)
{
	struct kernel_vsock *k = container_of(v, struct kernel_vsock, v);

	for (int i = 0; i < CTL_PORTS; i++) {
		loop_del(&k->listen[i]);
		if (k->listen[i].fd >= 0)
			close(k->listen[i].fd);
		k->listen[i].fd = -1;
	}
	free(k);
}

static int listen_one(struct loop_fd *io, uint32_t port)
{
	struct sockaddr_vm at = {.svm_family = AF_VSOCK,
	    .svm_cid = VMADDR_CID_ANY,
	    .svm_port = port};

	io->fd =
	    socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	io->ready = listen_ready;
	if (io->fd < 0 || bind(io->fd, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(io->fd, 16))
		return -errno;
	return loop_add(io, EPOLLIN);
}

/* A run of CTL_PORTS free ports. */
static int listen_all(struct kernel_vsock *k)
{
	bool fixed = k->v.control_port;
	int ret = 0;

	for (int tries = 0; tries < 100; tries++) {
		if (!fixed)
			k->v.control_port =
			    PORT_FIRST + (uint32_t)(random() & 0xffffff8);
		for (int i = 0; i < CTL_PORTS; i++) {
			ret = listen_one(
			    &k->listen[i], k->v.control_port + (uint32_t)i);
			if (ret)
				break;
		}
		if (ret != -EADDRINUSE || fixed)
			return ret;
		for (int i = 0; i < CTL_PORTS; i++) {
			loop_del(&k->listen[i]);
			if (k->listen[i].fd >= 0)
				close(k->listen[i].fd);
			k->listen[i].fd = -1;
		}
	}
	return ret;
}

/* A CID that no other machine has; the descriptor goes to QEMU. */
static int take_cid(struct kernel_vsock *k, int fd)
{
	uint64_t cid;

	for (int tries = 0; tries < 100; tries++) {
		cid = 1024 + (uint64_t)(random() & 0x3fffffff);
		if (!ioctl(fd, VHOST_VSOCK_SET_GUEST_CID, &cid)) {
			k->v.guest_cid = (uint32_t)cid;
			return 0;
		}
		if (errno != EADDRINUSE)
			break;
	}
	return -errno;
}

/* --vsock-backend vhost:CID:PORT: the machine is somebody else's. */
static bool backend_given(const struct run *r, struct kernel_vsock *k)
{
	return r->opt.backend && sscanf(r->opt.backend, "vhost:%u:%u",
				     &k->v.guest_cid, &k->v.control_port) == 2;
}

struct vsock *vsock_kernel_open(struct run *r)
{
	struct kernel_vsock *k;
	int fd = open("/dev/vhost-vsock", O_RDWR | O_CLOEXEC), ret = 0;

	if (fd < 0) {
		if (r->opt.vsock == VSOCK_VHOST)
			complain("/dev/vhost-vsock: %s; load the module "
				 "vhost_vsock, or use --vsock builtin",
			    strerror(errno));
		return NULL;
	}
	if (r->opt.backend && strncmp(r->opt.backend, "vhost:", 6)) {
		close(fd);
		return NULL;
	}
	srandom((unsigned)getpid() ^ (unsigned)loop_now());
	k = must_alloc(sizeof(*k));
	for (int i = 0; i < CTL_PORTS; i++)
		k->listen[i].fd = -1;
	k->v.accept = vsock_accept;
	k->v.connect = kernel_connect;
	k->v.stop = kernel_stop;
	if (!backend_given(r, k))
		ret = take_cid(k, fd);
	if (!ret)
		ret = listen_all(k);
	if (ret) {
		complain("vhost-vsock: %s", strerror(-ret));
		close(fd);
		kernel_stop(&k->v);
		return NULL;
	}
	r->vhost = true;
	r->vsock_fd = fd;
	return &k->v;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The built-in vsock back-end: opens the vhost-user device and ties it to
 * the run.  With --vsock-backend it waits for a QEMU that somebody else
 * starts, and at the end stops that QEMU, which it finds through the socket.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/run.h"
#include "host/trace.h"
#include "host/vhost_user.h"
#include "host/vsock_device.h"

#define BUILTIN_CID  3
#define BUILTIN_PORT 5000

struct builtin {
	struct vhost_user vu;
	struct vsock_dev dev;
	struct run *run;
	struct loop_fd listen;
	pid_t peer; /* the QEMU to end, with --vsock-backend */
};

static void builtin_broken(struct vsock_dev *dev, const char *why)
{
	struct builtin *b = container_of(dev, struct builtin, dev);

	complain("%s; the machine is ended", why);
	run_end(b->run, STATUS_FAILED);
}

static void builtin_hangup(struct vhost_user *vu)
{
	struct builtin *b = container_of(vu, struct builtin, vu);

	if (!b->run->opt.backend || b->run->ending)
		return; /* QEMU is our child: its end says more */
	complain("QEMU hung up before the program ended");
	run_end(b->run, STATUS_FAILED);
}

static void builtin_accept(struct loop_fd *io, uint32_t events)
{
	struct builtin *b = container_of(io, struct builtin, listen);
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int fd = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	loop_del(io);
	close(io->fd);
	io->fd = -1;
	unlink(b->run->opt.backend);
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		b->peer = peer.pid;
	if (vhost_user_start(&b->vu, fd))
		run_end(b->run, STATUS_FAILED);
}

static int builtin_listen(struct builtin *b)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	const char *path = b->run->opt.backend;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, path, strlen(path));
	b->listen.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	b->listen.ready = builtin_accept;
	if (b->listen.fd < 0 ||
	    bind(b->listen.fd, (struct sockaddr *)&sun, sizeof(sun)) ||
	    listen(b->listen.fd, 1))
		return -errno;
	return loop_add(&b->listen, EPOLLIN);
}

static void builtin_stop(struct vsock *v)
{
	struct vsock_dev *dev = container_of(v, struct vsock_dev, v);
	struct builtin *b = container_of(dev, struct builtin, dev);

	remark("vsock: %lu kicks and %lu interrupts for packets from the "
	       "guest, %lu and %lu for packets to it",
	    (unsigned long)dev->vq[VQ_TX].kicks,
	    (unsigned long)dev->vq[VQ_TX].calls,
	    (unsigned long)dev->vq[VQ_RX].kicks,
	    (unsigned long)dev->vq[VQ_RX].calls);
	if (b->listen.fd >= 0) {
		close(b->listen.fd);
		unlink(b->run->opt.backend);
	}
	if (b->peer > 0)
		kill(b->peer, SIGKILL);
	vhost_user_stop(&b->vu);
	free(b);
}

static void builtin_notifications(
    struct vsock *v, uint64_t *kicks, uint64_t *calls)
{
	struct vsock_dev *dev = container_of(v, struct vsock_dev, v);

	for (int i = 0; i < VQ_COUNT; i++) {
		kicks[i] = dev->vq[i].kicks;
		calls[i] = dev->vq[i].calls;
	}
}

struct vsock *vsock_builtin_open(struct run *r)
{
	struct builtin *b = must_alloc(sizeof(*b));
	struct vsock *v = &b->dev.v;
	struct vu_device device;
	int pair[2] = {-1, -1}, ret;

	b->run = r;
	b->listen.fd = -1;
	vsock_dev_init(&b->dev, &device);
	vhost_user_init(&b->vu, &device);
	b->vu.on_hangup = builtin_hangup;
	b->dev.on_broken = builtin_broken;
	v->guest_cid = BUILTIN_CID;
	v->control_port = BUILTIN_PORT;
	v->accept = vsock_accept;
	v->stop = builtin_stop;
	b->dev.observe = r->opt.trace ? trace_vsock : NULL;
	v->notifications = builtin_notifications;
	if (r->opt.backend) {
		ret = builtin_listen(b);
	} else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		ret = -errno;
	} else {
		r->vsock_fd = pair[1];
		ret = vhost_user_start(&b->vu, pair[0]);
	}
	if (!ret)
		return v;
	complain("cannot serve vsock at %s: %s",
	    r->opt.backend ? r->opt.backend : "a socket", strerror(-ret));
	builtin_stop(v);
	return NULL;
}

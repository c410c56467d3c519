/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The built-in vsock device alone, for tests with a guest that is not ours:
 * vsock_peer SOCKET GUEST_PORT...
 *
 * Serves vhost-user at SOCKET.  Streams that the guest opens to the control
 * port are echoed, those to the next port are closed as soon as they are
 * accepted, all others are refused.  Each GUEST_PORT becomes a TCP port of
 * the loopback interface, which is printed: "GUEST_PORT TCP_PORT".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "host/relay.h"
#include "host/util.h"
#include "host/vhost_user.h"
#include "host/vsock_device.h"

#define ECHO_MAX (64u << 10)

static struct vhost_user vu;
static struct vsock_dev dev;
static bool over;

struct echo {
	struct buf held;
	bool ended;
};

static ssize_t echo_in(struct vsock_stream *s, struct iovec *iov, int n)
{
	struct echo *e = s->arg;
	size_t len = iov_write(iov, n, 0, buf_at(&e->held), buf_len(&e->held));

	buf_take(&e->held, len);
	vsock_out_ready(s);
	if (len)
		return (ssize_t)len;
	return e->ended ? 0 : -EAGAIN;
}

static ssize_t echo_out(struct vsock_stream *s, const struct iovec *iov, int n)
{
	struct echo *e = s->arg;
	size_t room = ECHO_MAX - buf_len(&e->held), took = 0;

	for (int i = 0; i < n && room; i++) {
		size_t len = MIN(room, iov[i].iov_len);

		buf_add(&e->held, iov[i].iov_base, len);
		room -= len;
		took += len;
	}
	if (!took)
		return -EAGAIN;
	vsock_in_ready(s);
	return (ssize_t)took;
}

static void echo_end(struct vsock_stream *s)
{
	struct echo *e = s->arg;

	e->ended = true;
	vsock_in_ready(s);
}

static void echo_closed(struct vsock_stream *s, int err)
{
	struct echo *e = s->arg;

	if (err)
		printf("echo: %s\n", strerror(-err));
	buf_drop(&e->held);
	free(e);
}

static const struct vsock_user echo_user = {
    .in = echo_in,
    .out = echo_out,
    .out_end = echo_end,
    .closed = echo_closed,
};

static int peer_accept(struct vsock *v, struct vsock_stream *s, unsigned role)
{
	(void)v;
	if (role > 1)
		return -ECONNREFUSED;
	s->user = &echo_user;
	s->arg = must_alloc(sizeof(struct echo));
	if (role == 1)
		((struct echo *)s->arg)->ended = true;
	return 0;
}

struct port {
	struct loop_fd io;
	uint32_t guest;
};

static void client_done(struct relay *r, int err)
{
	relay_stop(r, err != 0);
	loop_free(r);
}

static void port_ready(struct loop_fd *io, uint32_t events)
{
	struct port *p = container_of(io, struct port, io);
	struct relay *r = must_alloc(sizeof(*r));
	int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int one = 1;

	(void)events;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	r->done = client_done;
	if (relay_start(r, fd, RELAY_IN | RELAY_OUT | RELAY_SOCKET) ||
	    dev.v.connect(&dev.v, p->guest, &relay_user, r, &r->s))
		client_done(r, -EIO);
}

static void port_open(struct port *p, uint32_t guest)
{
	struct sockaddr_in sin = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);

	p->guest = guest;
	p->io.ready = port_ready;
	p->io.fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(p->io.fd, (struct sockaddr *)&sin, len) ||
	    listen(p->io.fd, 1024) ||
	    getsockname(p->io.fd, (struct sockaddr *)&sin, &len) ||
	    loop_add(&p->io, EPOLLIN))
		exit(1);
	printf("%u %u\n", guest, ntohs(sin.sin_port));
}

static void peer_broken(struct vsock_dev *d, const char *why)
{
	(void)d;
	printf("broken: %s\n", why);
	over = true;
}

static void peer_hangup(struct vhost_user *v)
{
	(void)v;
	over = true;
}

int main(int argc, char **argv)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct port ports[8] = {0};
	struct vu_device device;
	struct rlimit files;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2 || argc > 9 || loop_open())
		return 2;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", argv[1]);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) || listen(fd, 1))
		return 2;
	for (int i = 2; i < argc; i++)
		port_open(&ports[i - 2], (uint32_t)atoi(argv[i]));
	printf("ready\n");
	vsock_dev_init(&dev, &device);
	vhost_user_init(&vu, &device);
	vu.on_hangup = peer_hangup;
	dev.on_broken = peer_broken;
	dev.v.guest_cid = 3;
	dev.v.control_port = 5000;
	dev.v.accept = peer_accept;
	if (vhost_user_start(&vu, accept4(fd, NULL, NULL, SOCK_NONBLOCK)))
		return 2;
	while (!over && !loop_turn())
		;
	printf("kicks %lu %lu calls %lu %lu\n",
	    (unsigned long)dev.vq[VQ_TX].kicks,
	    (unsigned long)dev.vq[VQ_RX].kicks,
	    (unsigned long)dev.vq[VQ_TX].calls,
	    (unsigned long)dev.vq[VQ_RX].calls);
	vhost_user_stop(&vu);
	loop_close();
	return 0;
}

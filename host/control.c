/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control stream (kernel/control/wire.h): tells the guest what to run,
 * passes signals on, and hears how it ended.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/progress.h"
#include "host/registry.h"
#include "host/run.h"
#include "host/stats.h"

static struct {
	struct vsock_stream *s;
	struct buf in, out;
} control;

void control_send(struct run *r, uint32_t type, const void *data, uint32_t len)
{
	struct ctl_msg m = {type, len};

	(void)r;
	buf_add(&control.out, &m, sizeof(m));
	buf_add(&control.out, data, len);
	if (control.s)
		vsock_in_ready(control.s);
}

static void send_text(struct run *r, uint32_t type, const char *text)
{
	control_send(r, type, text, (uint32_t)strlen(text));
}

static void send_mount(struct run *r, unsigned i)
{
	const struct share_option *o = &r->opt.share[i];
	struct ctl_mount m = {o->rdonly ? CTL_MOUNT_RDONLY : 0};
	struct buf b = {0};
	char tag[16];

	snprintf(tag, sizeof(tag), "fs%u", i);
	buf_add(&b, &m, sizeof(m));
	buf_add(&b, tag, strlen(tag) + 1);
	buf_add(&b, o->path, strlen(o->path));
	control_send(r, CTL_MOUNT, buf_at(&b), (uint32_t)buf_len(&b));
	buf_drop(&b);
}

/* The guest's RTC only counts seconds. */
static void send_clock(struct run *r)
{
	struct timespec now;
	uint64_t ns;

	clock_gettime(CLOCK_REALTIME, &now);
	ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	control_send(r, CTL_CLOCK, &ns, sizeof(ns));
}

static void send_configuration(struct run *r)
{
	const uint32_t version = CTL_VERSION;
	struct ctl_stdio stdio = {0};
	char host[65] = "toril";

	control_send(r, CTL_HELLO, &version, sizeof(version));
	for (char **arg = r->argv; *arg; arg++)
		send_text(r, CTL_ARG, *arg);
	for (unsigned i = 0; i < r->opt.env_count; i++)
		send_text(r, CTL_ENV, r->opt.env[i]);
	send_text(r, CTL_CWD, r->opt.workdir ? r->opt.workdir : "/");
	for (unsigned i = 0; i < r->opt.share_count; i++)
		send_mount(r, i);
	stdio_describe(&stdio);
	control_send(r, CTL_STDIO, &stdio, sizeof(stdio));
	send_text(r, CTL_HOSTNAME, host);
	if (r->opt.outbound.count)
		control_send(r, CTL_OUTBOUND, NULL, 0);
	send_clock(r);
	control_send(r, CTL_START, NULL, 0);
	r->configured = true;
	for (unsigned i = 0; i < r->opt.share_count; i++)
		if (r->share_gone[i])
			control_share_gone(r, i);
}

void control_share_gone(struct run *r, unsigned i)
{
	char tag[16];

	snprintf(tag, sizeof(tag), "fs%u", i);
	r->share_gone[i] = true;
	if (r->configured)
		send_text(r, CTL_SHARE_GONE, tag);
}

/* Serve one message: 0, or -EPROTO. */
static int control_message(
    struct run *r, const struct ctl_msg *m, const uint8_t *data)
{
	uint32_t port;

	if (m->type == CTL_EXIT && m->len == sizeof(r->exit)) {
		memcpy(&r->exit, data, sizeof(r->exit));
		if (r->exited || r->exit.status > 255)
			return -EPROTO;
		r->exited = true;
		stdio_check_exit(r);
	} else if (m->type == CTL_LISTEN && m->len == sizeof(port)) {
		memcpy(&port, data, sizeof(port));
		publish_enable(r, port);
	} else if (m->type == CTL_TERMIOS && m->len == 36) {
		stdio_termios(data);
	} else if (m->type == CTL_COUNTS &&
		   m->len == sizeof(struct ctl_counts)) {
		memcpy(&stats.guest, data, sizeof(stats.guest));
		stats.asked = false;
	} else if (m->type == CTL_STARTED && !m->len) {
		progress_end();
		r->started = true;
		registry_started();
		remark("the program starts");
	} else {
		return -EPROTO;
	}
	return 0;
}

static ssize_t control_in(struct vsock_stream *s, struct iovec *iov, int n)
{
	size_t len =
	    iov_write(iov, n, 0, buf_at(&control.out), buf_len(&control.out));

	(void)s;
	buf_take(&control.out, len);
	return len ? (ssize_t)len : -EAGAIN;
}

static ssize_t control_out(
    struct vsock_stream *s, const struct iovec *iov, int n)
{
	struct run *r = s->arg;
	struct ctl_msg m;
	ssize_t took = 0;

	for (int i = 0; i < n; i++) {
		buf_add(&control.in, iov[i].iov_base, iov[i].iov_len);
		took += (ssize_t)iov[i].iov_len;
	}
	while (buf_len(&control.in) >= sizeof(m)) {
		memcpy(&m, buf_at(&control.in), sizeof(m));
		if (m.len > 4096)
			return -EPROTO; /* no message of ours is so long */
		if (buf_len(&control.in) - sizeof(m) < m.len)
			break;
		if (control_message(r, &m, buf_at(&control.in) + sizeof(m)))
			return -EPROTO;
		buf_take(&control.in, sizeof(m) + m.len);
	}
	return took;
}

static void control_out_end(struct vsock_stream *s)
{
	(void)s;
}

static void control_closed(struct vsock_stream *s, int err)
{
	struct run *r = s->arg;

	control.s = NULL;
	if (r->exited || r->ending)
		return;
	if (err == -EPROTO) {
		complain("the guest broke the control protocol");
		run_end(r, STATUS_FAILED);
	}
	/* else it has died: QEMU's end says how */
}

static const struct vsock_user control_user = {
    .in = control_in,
    .out = control_out,
    .out_end = control_out_end,
    .closed = control_closed,
};

int control_accept(struct run *r, struct vsock_stream *s)
{
	if (control.s || r->started)
		return -EBUSY;
	control.s = s;
	s->user = &control_user;
	s->arg = r;
	send_configuration(r);
	return 0;
}

void control_finish(void)
{
	buf_drop(&control.in);
	buf_drop(&control.out);
	control.s = NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the built-in vsock device with everything a guest controls: its
 * memory, so rings, descriptors and headers, at every step; and QEMU's
 * vhost-user messages.  The input is a list of steps.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/vhost_user.h"
#include "host/vsock_device.h"

#define MEM 32768

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static ssize_t echo_in(struct vsock_stream *s, struct iovec *iov, int n)
{
	(void)s;
	memset(iov[0].iov_base, 'x', iov[0].iov_len);
	return n ? (ssize_t)iov[0].iov_len : 0;
}

static ssize_t echo_out(struct vsock_stream *s, const struct iovec *iov, int n)
{
	(void)s;
	return n && iov[0].iov_len > 3 ? (ssize_t)iov[0].iov_len / 2 : -EAGAIN;
}

static void nothing(struct vsock_stream *s)
{
	(void)s;
}

static void closed(struct vsock_stream *s, int err)
{
	(void)s;
	(void)err;
}

static const struct vsock_user user = {
    nothing, echo_in, echo_out, nothing, closed};

static int accept_any(struct vsock *v, struct vsock_stream *s, unsigned role)
{
	(void)v;
	s->user = &user;
	return role == 5 ? -ECONNREFUSED : 0;
}

static void ring_start(struct vsock_dev *dev, int i)
{
	struct vq *q = &dev->vq[i];

	q->size = 8;
	q->uva_desc = (uint64_t)i * 4096;
	q->uva_avail = q->uva_desc + 256;
	q->uva_used = q->uva_desc + 512;
	q->running = q->enabled = !vq_map(q);
}

static void message(struct vhost_user *vu, const uint8_t *in, size_t len)
{
	struct vu_msg m = {.flags = 9};
	size_t n = MIN(len, sizeof(m.u));

	if (!n)
		return;
	m.request = in[0] & 63;
	memcpy(&m.u, in + 1, n - 1);
	m.size = (uint32_t)n - 1;
	if (m.request == 5) {
		m.fds[0] = memfd_create("g", MFD_CLOEXEC);
		if (ftruncate(m.fds[0], MEM))
			abort();
		m.fd_count = 1;
	}
	vhost_user_message(vu, &m);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	static struct vhost_user vu;
	static struct vsock_dev dev;
	struct vu_device device;
	static _Alignas(4096) uint8_t mem[MEM];

	memset(&vu, 0, sizeof(vu));
	memset(&dev, 0, sizeof(dev));
	memset(mem, 0, MEM);
	loop_open();
	vsock_dev_init(&dev, &device);
	vhost_user_init(&vu, &device);
	dev.v.guest_cid = 3;
	dev.v.control_port = 5000;
	dev.v.accept = accept_any;
	dev.mem.count = 1;
	dev.mem.region[0] = (struct guest_region){.size = MEM, .host = mem};
	ring_start(&dev, VQ_RX);
	ring_start(&dev, VQ_TX);
	while (len >= 4) {
		unsigned at = (in[1] | in[2] << 8) % MEM;
		size_t n = MIN(in[3], len - 4);

		n = MIN(n, MEM - at);
		if (in[0] & 0x80)
			message(&vu, in + 4, n);
		else
			memcpy(mem + at, in + 4, n);
		if (in[0] & 1) {
			loop_defer(&dev.task);
			loop_turn();
		}
		in += 4 + n;
		len -= 4 + n;
	}
	vhost_user_stop(&vu);
	loop_defer(&dev.task); /* so that the turn does not wait */
	loop_turn();
	loop_close();
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The vsock state machine against a host that the test plays. */
#include "tests/unit/cmocka.h"
#include "tests/unit/vsock_fake.h"

#define PORT 1234u

static struct vsock_conn *accepted;
static bool room = true, take = true;

static bool on_accept(struct vsock_listener *l, struct vsock_conn *c)
{
	(void)l;
	if (!take)
		return false;
	accepted = c;
	return true;
}

static bool has_room(struct vsock_listener *l)
{
	(void)l;
	return room;
}

static struct vsock_listener listener = {
    .port = 80, .accept = on_accept, .has_room = has_room};

static void start(void)
{
	fake_start();
	room = take = true;
	accepted = NULL;
	list_init(&listener.node);
	assert_int_equal(vsock_listen(&listener), 0);
}

static void stop(void)
{
	vsock_unlisten(&listener);
	vsock_transport_reset();
	fake_forget();
	assert_int_equal(shim_memory_used, 0);
	assert_int_equal(shim_locks_held, 0);
}

static struct virtio_vsock_hdr packet(unsigned op, uint32_t to, uint32_t from)
{
	return (struct virtio_vsock_hdr){.src_cid = VSOCK_CID_HOST,
	    .dst_cid = GUEST_CID,
	    .src_port = from,
	    .dst_port = to,
	    .type = VIRTIO_VSOCK_TYPE_STREAM,
	    .op = (uint16_t)op,
	    .buf_alloc = 65536};
}

static void input(unsigned op, uint32_t to, uint32_t from)
{
	fake_input(packet(op, to, from), NULL, 0, false);
}

/* What the kernel sent next, which must be this. */
static struct vsock_packet *sent(unsigned op)
{
	struct vsock_packet *p;

	assert_true(fake.head < fake.tail);
	p = fake.sent[fake.head++];
	assert_int_equal(p->hdr.op, op);
	assert_int_equal(p->hdr.src_cid, GUEST_CID);
	assert_int_equal(p->hdr.dst_cid, VSOCK_CID_HOST);
	return p;
}

static void sent_nothing(void)
{
	assert_int_equal(fake.head, fake.tail);
}

static struct vsock_conn *incoming(uint32_t from)
{
	struct vsock_packet *p;

	input(VIRTIO_VSOCK_OP_REQUEST, 80, from);
	p = sent(VIRTIO_VSOCK_OP_RESPONSE);
	assert_int_equal(p->hdr.dst_port, from);
	assert_int_equal(p->hdr.src_port, 80);
	assert_true(p->hdr.buf_alloc >= 4096);
	assert_non_null(accepted);
	assert_true(vsock_is_connected(accepted));
	return accepted;
}

static ssize_t move(struct vsock_conn *c, void *data, size_t n, int how)
{
	struct iovec iov = {data, n};
	struct iov_iter it;

	iter_init(&it, &iov, 1, false);
	if (!how)
		return c->s.ops->send(&c->s, &it);
	return c->s.ops->recv(&c->s, &it, how == 2);
}

static ssize_t send(struct vsock_conn *c, const void *data, size_t n)
{
	return move(c, (void *)(uintptr_t)data, n, 0);
}

static ssize_t recv(struct vsock_conn *c, void *data, size_t n)
{
	return move(c, data, n, 1);
}

static unsigned poll(struct vsock_conn *c)
{
	return c->s.ops->poll(&c->s);
}

static void data_in(struct vsock_conn *c, const void *data, uint32_t n)
{
	struct virtio_vsock_hdr h =
	    packet(VIRTIO_VSOCK_OP_RW, c->local_port, c->peer_port);

	h.buf_alloc = c->peer_alloc; /* as said last */
	h.fwd_cnt = c->peer_fwd;
	fake_input(h, data, n, true);
}

static void control_in(struct vsock_conn *c, unsigned op, uint32_t flags)
{
	struct virtio_vsock_hdr h = packet(op, c->local_port, c->peer_port);

	h.flags = flags;
	h.fwd_cnt = c->tx_cnt;
	fake_input(h, NULL, 0, false);
}

static void close_conn(struct vsock_conn *c)
{
	c->s.ops->close(&c->s);
}

static void connect_is_answered(void **state)
{
	struct vsock_packet *p;
	struct vsock_conn *c;
	int err;

	(void)state;
	start();
	c = vsock_connect(PORT, NULL, NULL, &err);
	assert_non_null(c);
	p = sent(VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(p->hdr.dst_port, PORT);
	assert_int_equal(p->hdr.type, VIRTIO_VSOCK_TYPE_STREAM);
	assert_false(vsock_is_connected(c));
	assert_int_equal(poll(c), 0);
	assert_int_equal(send(c, "x", 1), -EAGAIN);
	input(VIRTIO_VSOCK_OP_RESPONSE, c->local_port, PORT);
	assert_true(vsock_is_connected(c));
	assert_int_equal(poll(c), POLL_OUT);
	assert_int_equal(send(c, "hello", 5), 5);
	p = sent(VIRTIO_VSOCK_OP_RW);
	assert_int_equal(p->hdr.len, 5);
	assert_memory_equal(p->data, "hello", 5);
	close_conn(c);
	stop();
}

static void connect_is_refused_or_ignored(void **state)
{
	struct vsock_conn *c;
	int err;

	(void)state;
	start();
	c = vsock_connect(PORT, NULL, NULL, &err);
	input(VIRTIO_VSOCK_OP_RST, c->local_port, PORT);
	assert_int_equal(c->state, VSOCK_DEAD);
	assert_int_equal(vsock_take_error(c), ECONNREFUSED);
	assert_int_equal(vsock_take_error(c), 0);
	close_conn(c);
	c = vsock_connect(PORT, NULL, NULL, &err);
	assert_int_equal(fake.wakes, 0);
	shim_now = c->deadline - 1;
	vsock_run_timers();
	assert_int_equal(c->state, VSOCK_CONNECTING);
	shim_now = c->deadline;
	shim_timer->fn(shim_timer);
	assert_int_equal(fake.wakes, 1);
	vsock_run_timers();
	assert_int_equal(vsock_take_error(c), ETIMEDOUT);
	close_conn(c);
	stop();
}

static void requests_that_nobody_wants(void **state)
{
	struct virtio_vsock_hdr h;
	struct vsock_packet *p;

	(void)state;
	start();
	input(VIRTIO_VSOCK_OP_REQUEST, 81, 5000);
	p = sent(VIRTIO_VSOCK_OP_RST);
	assert_int_equal(p->hdr.dst_port, 5000);
	assert_int_equal(p->hdr.src_port, 81);
	room = false;
	input(VIRTIO_VSOCK_OP_REQUEST, 80, 5000);
	sent(VIRTIO_VSOCK_OP_RST);
	room = true;
	h = packet(VIRTIO_VSOCK_OP_REQUEST, 80, 5000);
	h.type = 2; /* seqpacket */
	fake_input(h, NULL, 0, false);
	p = sent(VIRTIO_VSOCK_OP_RST);
	assert_int_equal(p->hdr.type, 2);
	/* From another guest, to another one, and headers left untouched. */
	h = packet(VIRTIO_VSOCK_OP_REQUEST, 80, 5000);
	h.src_cid = 3;
	fake_input(h, NULL, 0, false);
	h = packet(VIRTIO_VSOCK_OP_REQUEST, 80, 5000);
	h.dst_cid = 3;
	fake_input(h, NULL, 0, false);
	fake_input(packet(0, 80, 5000), NULL, 0, false);
	sent_nothing();
	/* Packets of no connection. A reset is not answered. */
	input(VIRTIO_VSOCK_OP_RW, 80, 5000);
	sent(VIRTIO_VSOCK_OP_RST);
	input(VIRTIO_VSOCK_OP_RST, 80, 5000);
	sent_nothing();
	assert_null(accepted);
	take = false; /* the listener changes its mind */
	input(VIRTIO_VSOCK_OP_REQUEST, 80, 5000);
	sent(VIRTIO_VSOCK_OP_RESPONSE);
	sent(VIRTIO_VSOCK_OP_RST);
	stop();
}

static void listeners_are_unique(void **state)
{
	struct vsock_listener second = listener;

	(void)state;
	start();
	assert_int_equal(vsock_listen(&second), -EADDRINUSE);
	stop();
}

/* Data of all sizes; credit comes back as it is read. */
static void data_arrives_in_order(void **state)
{
	static unsigned char buf[60000], got[60000];
	struct vsock_conn *c;
	size_t in = 0, out = 0, told = 0;
	uint32_t n = 1;

	(void)state;
	start();
	c = incoming(5000);
	while (in < 3 << 20) {
		uint32_t window = c->buf_alloc - (uint32_t)(in - told);
		n = n * 7 % 16381 + 1;
		if (n <= window) {
			for (uint32_t i = 0; i < n; i++)
				buf[i] = (unsigned char)((in + i) * 7);
			data_in(c, buf, n);
			in += n;
			assert_true(poll(c) & POLL_IN);
			continue;
		}
		while (out < in) {
			ssize_t r = recv(c, got, n * 2);
			assert_true(r > 0);
			for (ssize_t i = 0; i < r; i++)
				assert_int_equal(got[i],
				    (unsigned char)((out + (size_t)i) * 7));
			out += (size_t)r;
		}
		assert_int_equal(recv(c, got, 1), -EAGAIN);
		while (fake.head < fake.tail)
			told = sent(VIRTIO_VSOCK_OP_CREDIT_UPDATE)->hdr.fwd_cnt;
		assert_true(in - told <= c->buf_alloc / 2);
		fake_forget();
		fake.room = SENT_MAX;
	}
	close_conn(c);
	stop();
}

static void beyond_the_window_is_a_reset(void **state)
{
	static char buf[65000];
	struct vsock_conn *c;
	size_t n = 0;

	(void)state;
	start();
	c = incoming(5000);
	while (n + sizeof(buf) <= c->buf_alloc) {
		data_in(c, buf, sizeof(buf));
		n += sizeof(buf);
	}
	data_in(c, buf, (uint32_t)(c->buf_alloc - n));
	sent_nothing(); /* exactly full is fine */
	data_in(c, "x", 1);
	sent(VIRTIO_VSOCK_OP_RST);
	assert_int_equal(c->state, VSOCK_DEAD);
	/* What came before is not lost. */
	n = 0;
	for (ssize_t r; (r = recv(c, buf, sizeof(buf))) > 0;)
		n += (size_t)r;
	assert_int_equal(n, c->buf_alloc);
	assert_int_equal(recv(c, buf, 1), 0);
	assert_int_equal(send(c, buf, 1), -EPIPE);
	close_conn(c);
	stop();
}

static void credit_in(struct vsock_conn *c, uint32_t alloc, uint32_t fwd)
{
	struct virtio_vsock_hdr h =
	    packet(VIRTIO_VSOCK_OP_CREDIT_UPDATE, c->local_port, c->peer_port);

	h.buf_alloc = alloc;
	h.fwd_cnt = fwd;
	fake_input(h, NULL, 0, false);
}

static void sending_keeps_to_the_credit(void **state)
{
	static char buf[100000];
	struct vsock_conn *c;

	(void)state;
	start();
	c = incoming(5000);
	credit_in(c, 1000, 0);
	assert_int_equal(send(c, buf, 3000), 1000);
	assert_int_equal(sent(VIRTIO_VSOCK_OP_RW)->hdr.len, 1000);
	assert_int_equal(send(c, buf, 1), -EAGAIN);
	assert_int_equal(poll(c) & POLL_OUT, 0);
	credit_in(c, 1000, 600);
	assert_true(poll(c) & POLL_OUT);
	assert_int_equal(send(c, buf, 3000), 600);
	sent(VIRTIO_VSOCK_OP_RW);
	credit_in(c, 300, 1600); /* a window made smaller */
	assert_int_equal(send(c, buf, 3000), 300);
	sent(VIRTIO_VSOCK_OP_RW);
	credit_in(c, 100, 1600); /* smaller than what is under way */
	assert_int_equal(send(c, buf, 1), -EAGAIN);
	credit_in(c, 1u << 31, 5000000); /* more taken than sent: a lie */
	assert_int_equal(send(c, buf, 1), -EAGAIN);
	credit_in(c, 1u << 31, 1900);
	assert_int_equal(send(c, buf, sizeof(buf)), sizeof(buf));
	close_conn(c);
	stop();
}

/* Both directions past 4 GiB, without sending as much. */
static void counters_wrap(void **state)
{
	static char buf[9000];
	struct vsock_conn *c;
	uint32_t peer_has = 0xffffe000, sent_fwd;

	(void)state;
	start();
	c = incoming(5000);
	c->tx_cnt = peer_has;
	c->rx_cnt = c->fwd_cnt = c->fwd_sent = 0xfffff000;
	sent_fwd = c->fwd_sent;
	credit_in(c, 10000, peer_has);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(send(c, buf, 9000), 9000);
		assert_int_equal(send(c, buf, 9000), 1000);
		peer_has += 10000;
		assert_int_equal(c->tx_cnt, peer_has);
		assert_int_equal(send(c, buf, 9000), -EAGAIN);
		credit_in(c, 10000, peer_has);
		for (int k = 0; k < 20; k++) {
			data_in(c, buf, 3000);
			assert_int_equal(recv(c, buf, 9000), 3000);
		}
		while (fake.head < fake.tail)
			sent_fwd = fake.sent[fake.head++]->hdr.fwd_cnt;
		assert_true(c->rx_cnt - sent_fwd <= c->buf_alloc / 2);
		assert_int_equal(c->state, VSOCK_CONNECTED);
		fake_forget();
		fake.room = SENT_MAX;
	}
	close_conn(c);
	stop();
}

static void peer_shuts_down_sending(void **state)
{
	struct vsock_conn *c;
	char buf[20];

	(void)state;
	start();
	c = incoming(5000);
	data_in(c, "last", 4);
	control_in(c, VIRTIO_VSOCK_OP_SHUTDOWN, STREAM_SHUT_SEND);
	assert_int_equal(
	    poll(c) & (POLL_IN | POLL_RDHUP), POLL_IN | POLL_RDHUP);
	assert_int_equal(recv(c, buf, 20), 4);
	assert_int_equal(recv(c, buf, 20), 0);
	assert_int_equal(send(c, "more", 4), 4);
	sent(VIRTIO_VSOCK_OP_RW);
	data_in(c, "!", 1); /* against its word */
	sent(VIRTIO_VSOCK_OP_RST);
	close_conn(c);
	stop();
}

static void peer_shuts_down_receiving(void **state)
{
	struct vsock_conn *c;
	char buf[20];

	(void)state;
	start();
	c = incoming(5000);
	control_in(c, VIRTIO_VSOCK_OP_SHUTDOWN, STREAM_SHUT_RECV);
	assert_int_equal(send(c, "x", 1), -EPIPE);
	data_in(c, "still", 5);
	assert_int_equal(recv(c, buf, 20), 5);
	assert_int_equal(recv(c, buf, 20), -EAGAIN);
	/* The end of a finished connection is no error. */
	control_in(c, VIRTIO_VSOCK_OP_SHUTDOWN, STREAM_SHUT_SEND);
	control_in(c, VIRTIO_VSOCK_OP_RST, 0);
	assert_int_equal(recv(c, buf, 20), 0);
	assert_int_equal(vsock_take_error(c), 0);
	close_conn(c);
	stop();
}

static void shutting_down_halves(void **state)
{
	struct vsock_conn *c;
	char buf[20];

	(void)state;
	start();
	c = incoming(5000);
	c->s.ops->shutdown(&c->s, STREAM_SHUT_SEND);
	assert_int_equal(sent(VIRTIO_VSOCK_OP_SHUTDOWN)->hdr.flags,
	    VIRTIO_VSOCK_SHUTDOWN_SEND);
	assert_int_equal(send(c, "x", 1), -EPIPE);
	data_in(c, "reply", 5);
	assert_int_equal(recv(c, buf, 20), 5);
	c->s.ops->shutdown(&c->s, STREAM_SHUT_RECV);
	assert_int_equal(sent(VIRTIO_VSOCK_OP_SHUTDOWN)->hdr.flags,
	    VIRTIO_VSOCK_SHUTDOWN_SEND | VIRTIO_VSOCK_SHUTDOWN_RCV);
	assert_int_equal(recv(c, buf, 20), 0);
	assert_true(poll(c) & POLL_HUP);
	close_conn(c);
	stop();
}

static void reset_in_the_middle(void **state)
{
	struct vsock_conn *c;
	char buf[20];

	(void)state;
	start();
	c = incoming(5000);
	data_in(c, "part", 4);
	control_in(c, VIRTIO_VSOCK_OP_RST, 0);
	sent_nothing();
	assert_true(poll(c) & POLL_ERR);
	assert_int_equal(recv(c, buf, 20), 4);
	assert_int_equal(recv(c, buf, 20), -ECONNRESET);
	assert_int_equal(recv(c, buf, 20), 0);
	assert_int_equal(send(c, "x", 1), -EPIPE);
	close_conn(c);
	stop();
}

static void close_in_order(void **state)
{
	struct vsock_conn *c;

	(void)state;
	start();
	c = incoming(5000);
	close_conn(c);
	assert_int_equal(sent(VIRTIO_VSOCK_OP_SHUTDOWN)->hdr.flags, 3);
	input(VIRTIO_VSOCK_OP_RST, 80, 5000);
	fake_forget();
	assert_int_equal(shim_memory_used, 0);
	/* A peer that never answers. */
	c = incoming(5001);
	close_conn(c);
	fake_forget();
	assert_int_not_equal(shim_memory_used, 0);
	shim_now += 60 * NSEC_PER_SEC;
	vsock_run_timers();
	sent(VIRTIO_VSOCK_OP_RST);
	fake_forget();
	assert_int_equal(shim_memory_used, 0);
	/* One that answers with its own shutdown. */
	c = incoming(5002);
	close_conn(c);
	sent(VIRTIO_VSOCK_OP_SHUTDOWN);
	input(VIRTIO_VSOCK_OP_CREDIT_UPDATE, 80, 5002);
	fake_input((struct virtio_vsock_hdr){.src_cid = 2,
		       .dst_cid = GUEST_CID,
		       .src_port = 5002,
		       .dst_port = 80,
		       .type = 1,
		       .op = VIRTIO_VSOCK_OP_SHUTDOWN,
		       .flags = 3},
	    NULL, 0, false);
	sent(VIRTIO_VSOCK_OP_RST);
	fake_forget();
	assert_int_equal(shim_memory_used, 0);
	stop();
}

static void close_with_unread_data_resets(void **state)
{
	struct vsock_conn *c;

	(void)state;
	start();
	c = incoming(5000);
	data_in(c, "unread", 6);
	close_conn(c);
	sent(VIRTIO_VSOCK_OP_RST);
	fake_forget();
	assert_int_equal(shim_memory_used, 0);
	stop();
}

static void full_ring(void **state)
{
	struct vsock_conn *c, *d;
	char buf[100] = "";

	(void)state;
	start();
	c = incoming(5000);
	d = incoming(5001);
	fake.room = 0;
	assert_int_equal(send(c, buf, 100), -EAGAIN);
	assert_int_equal(poll(c) & POLL_OUT, 0);
	control_in(c, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0);
	control_in(c, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0);
	c->s.ops->shutdown(&c->s, STREAM_SHUT_SEND);
	control_in(d, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0);
	sent_nothing();
	fake.room = 1;
	vsock_tx_ready();
	sent(VIRTIO_VSOCK_OP_SHUTDOWN);
	sent_nothing();
	fake.room = 100;
	vsock_tx_ready();
	assert_int_equal(
	    sent(VIRTIO_VSOCK_OP_CREDIT_UPDATE)->hdr.dst_port, 5000);
	assert_int_equal(
	    sent(VIRTIO_VSOCK_OP_CREDIT_UPDATE)->hdr.dst_port, 5001);
	sent_nothing();
	assert_true(poll(d) & POLL_OUT);
	assert_int_equal(send(d, buf, 100), 100);
	close_conn(c);
	close_conn(d);
	stop();
}

static void senseless_packets_reset(void **state)
{
	static const unsigned ops[] = {
	    VIRTIO_VSOCK_OP_REQUEST, VIRTIO_VSOCK_OP_RESPONSE, 8, 99, 65535};
	struct vsock_conn *c;

	(void)state;
	start();
	for (uint32_t i = 0; i < ARRAY_LEN(ops); i++) {
		c = incoming(5000 + i);
		control_in(c, ops[i], 0);
		sent(VIRTIO_VSOCK_OP_RST);
		assert_int_equal(vsock_take_error(c), ECONNRESET);
		close_conn(c);
	}
	stop();
}

static void out_of_memory(void **state)
{
	static char buf[5000];
	struct vsock_conn *c;
	int err;

	(void)state;
	start();
	c = incoming(5000);
	shim_memory_left = 0;
	assert_null(vsock_connect(PORT, NULL, NULL, &err));
	assert_int_equal(err, -ENOMEM);
	input(VIRTIO_VSOCK_OP_REQUEST, 80, 6000);
	assert_int_equal(send(c, buf, 5000), -ENOBUFS);
	control_in(c, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0);
	sent_nothing();
	shim_memory_left = -1;
	shim_now += 20 * NSEC_PER_MSEC; /* nobody tells when there is memory */
	vsock_run_timers();
	sent(VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	shim_memory_left = 0;
	data_in(c, buf, 5000);
	assert_int_equal(c->state, VSOCK_DEAD);
	shim_memory_left = -1;
	close_conn(c);
	stop();
}

/* What sendfile sends: the page is not copied, and stays. */
static void pages_are_referred_to(void **state)
{
	struct page *page;
	struct vsock_conn *c;
	struct vsock_packet *p;
	struct iovec iov;
	struct iov_iter it;

	(void)state;
	start();
	c = incoming(1000);
	page = page_alloc(0, 0);
	iov = (struct iovec){(char *)page_to_virt(page) + 100, 3000};
	iter_init(&it, &iov, 1, true);
	it.pages = true;
	assert_int_equal(c->s.ops->send(&c->s, &it), 3000);
	assert_int_equal(it.left, 0);
	page_unref(page);
	p = sent(VIRTIO_VSOCK_OP_RW);
	assert_int_equal(p->hdr.len, 3000);
	assert_ptr_equal(p->page, page);
	assert_int_equal(p->off, 100);
	assert_int_equal(page->refs, 1); /* the packet's */
	close_conn(c);
	stop();
}

static void bad_memory_of_the_program(void **state)
{
	static char buf[50000];
	struct vsock_conn *c;

	(void)state;
	start();
	c = incoming(5000);
	shim_bad_start = buf + 20000;
	shim_bad_end = buf + 20001;
	assert_int_equal(send(c, buf + 20000, 5), -EFAULT);
	assert_int_equal(c->tx_cnt, 0);
	assert_int_equal(send(c, buf, 50000), 20000);
	assert_int_equal(c->tx_cnt, 20000);
	shim_bad_start = shim_bad_end = NULL;
	close_conn(c);
	stop();
}

static bool eat_five(struct vsock_conn *c)
{
	if (byteq_bytes(&c->rx) < 5)
		return false;
	vsock_consume(c, 5);
	return true;
}

static void filter_in_front(void **state)
{
	struct vsock_conn *c;
	char buf[20];

	(void)state;
	start();
	listener.filter = eat_five;
	input(VIRTIO_VSOCK_OP_REQUEST, 80, 5000);
	sent(VIRTIO_VSOCK_OP_RESPONSE);
	assert_null(accepted);
	fake_input(packet(VIRTIO_VSOCK_OP_RW, 80, 5000), "abc", 3, true);
	assert_null(accepted);
	fake_input(packet(VIRTIO_VSOCK_OP_RW, 80, 5000), "defg", 4, true);
	c = accepted;
	assert_non_null(c);
	assert_int_equal(recv(c, buf, 20), 2);
	assert_memory_equal(buf, "fg", 2);
	close_conn(c);
	/* One that never gets that far, one whose listener goes. */
	accepted = NULL;
	input(VIRTIO_VSOCK_OP_REQUEST, 80, 5001);
	shim_now += 60 * NSEC_PER_SEC;
	vsock_run_timers();
	input(VIRTIO_VSOCK_OP_REQUEST, 80, 5002);
	listener.filter = NULL;
	assert_null(accepted);
	stop();
}

static void transport_events(void **state)
{
	struct vsock_conn *c, *d;
	char buf[20];
	int err;

	(void)state;
	start();
	c = incoming(5000);
	data_in(c, "kept", 4);
	vsock_transport_reset();
	sent(VIRTIO_VSOCK_OP_RST);
	assert_int_equal(recv(c, buf, 20), 4);
	assert_int_equal(recv(c, buf, 20), -ECONNRESET);
	d = incoming(5000); /* the same ports again */
	fake.dead = true;
	vsock_transport_failed();
	assert_int_equal(recv(d, buf, 20), -ECONNRESET);
	assert_null(vsock_connect(PORT, NULL, NULL, &err));
	assert_int_equal(err, -ENODEV);
	assert_int_equal(vsock_cid(), 0);
	close_conn(c);
	close_conn(d);
	stop();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(connect_is_answered),
	    cmocka_unit_test(connect_is_refused_or_ignored),
	    cmocka_unit_test(requests_that_nobody_wants),
	    cmocka_unit_test(listeners_are_unique),
	    cmocka_unit_test(data_arrives_in_order),
	    cmocka_unit_test(beyond_the_window_is_a_reset),
	    cmocka_unit_test(sending_keeps_to_the_credit),
	    cmocka_unit_test(counters_wrap),
	    cmocka_unit_test(peer_shuts_down_sending),
	    cmocka_unit_test(peer_shuts_down_receiving),
	    cmocka_unit_test(shutting_down_halves),
	    cmocka_unit_test(reset_in_the_middle),
	    cmocka_unit_test(close_in_order),
	    cmocka_unit_test(close_with_unread_data_resets),
	    cmocka_unit_test(full_ring),
	    cmocka_unit_test(senseless_packets_reset),
	    cmocka_unit_test(out_of_memory),
	    cmocka_unit_test(pages_are_referred_to),
	    cmocka_unit_test(bad_memory_of_the_program),
	    cmocka_unit_test(filter_in_front),
	    cmocka_unit_test(transport_events),
	};

	return RUN_TAP(tests);
}

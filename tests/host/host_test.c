/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unit tests of the launcher: options, rules, SOCKS, DNS, virtqueues, the
 * vsock device's connections and vhost-user messages.  The device's guest is
 * played by the test, in memory of its own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <linux/virtio_ring.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/dns.h"
#include "host/image.h"
#include "host/options.h"
#include "host/socks.h"
#include "host/util.h"
#include "host/vhost_user.h"
#include "host/vsock_device.h"

/* Options */

static int parse(struct options *o, const char *line)
{
	static char copy[512], *argv[64], why[256];
	int argc = 0;

	strcpy(copy, line);
	for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	argv[argc] = NULL;
	return options_parse(o, argc, argv, why, sizeof(why));
}

static void test_as_process(void **state)
{
	char *env[] = {"A=1", "AB=2", "ODD", "=", NULL};
	char *here = getcwd(NULL, 0), line[256];
	struct options o;

	(void)state;
	snprintf(line, sizeof(line), "x -e A=3 -v %s:%s:ro i", here, here);
	assert_int_equal(parse(&o, line), 0);
	assert_int_equal(options_inherit(&o, env), 0);
	assert_int_equal(o.share_count, 1);
	assert_string_equal(o.workdir, here);
	assert_int_equal(o.env_count, 4);
	assert_string_equal(o.env[0], "A=3");
	assert_string_equal(o.env[1], "AB=2");
	options_free(&o);
	assert_int_equal(parse(&o, "x -w /there -v /:/host i"), 0);
	assert_int_equal(options_inherit(&o, env + 4), 0);
	assert_int_equal(o.share_count, 2);
	assert_string_equal(o.share[1].path, here);
	assert_string_equal(o.workdir, "/there");
	options_free(&o);
	free(here);
}

static void test_options(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, "x -p8080:80 --publish=[::1]:9:10 -m 8M "
				   "-c2 -v/a:b:/c:ro --env A=1 i -p x"),
	    0);
	assert_int_equal(o.image, 9);
	assert_int_equal(o.publish_count, 2);
	assert_int_equal(ntohs(o.publish[0].address.v4.sin_port), 8080);
	assert_int_equal(
	    o.publish[0].address.v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	assert_int_equal(o.publish[0].guest_port, 80);
	assert_int_equal(o.publish[1].address.v6.sin6_family, AF_INET6);
	assert_int_equal(o.publish[1].guest_port, 10);
	assert_int_equal(o.memory, 8 << 20);
	assert_int_equal(o.cpus, 2);
	assert_string_equal(o.share[0].dir, "/a:b");
	assert_string_equal(o.share[0].path, "/c");
	assert_true(o.share[0].rdonly);
	assert_string_equal(o.env[0], "A=1");
	options_free(&o);
}

static void test_options_wrong(void **state)
{
	static const char *const lines[] = {"x", "x -p", "x -p 0 i",
	    "x -p 65536 i", "x -p a:1 i", "x -p 1.2.3:1 i", "x -p [::1:1 i",
	    "x -p 1: i", "x -v /a i", "x -v :/a i", "x -v /a:b i", "x -m 1M i",
	    "x -m 1X i", "x -m -1 i", "x -m 99999999999G i", "x -c 0 i",
	    "x -c 256 i", "x --connect a/b i", "x --connect 1.2.3.4/33 i",
	    "x --connect h:0 i", "x --accel no i", "x --what i", "x -w a i"};
	struct options o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (parse(&o, lines[i]) != -EINVAL)
			fail_msg("accepted: %s", lines[i]);
		options_free(&o);
	}
}

/* Rules */

static struct in6_addr ip(const char *text)
{
	struct in6_addr a;
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1)
		return addr_map4(&v4);
	assert_int_equal(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static bool allows(const struct rules *r, const char *addr, uint16_t port)
{
	struct in6_addr a = ip(addr);

	return rules_allow(r, &a, port);
}

static void test_rules(void **state)
{
	struct rules r = {0};
	struct rule_pins pins = {1, {ip("1.2.3.4")}};

	(void)state;
	assert_int_equal(rules_add(&r, "10.0.0.0/9:80"), 0);
	assert_int_equal(rules_add(&r, "[fd00::/8]:443"), 0);
	assert_int_equal(rules_add(&r, "2001:db8::1"), 0);
	assert_int_equal(rules_add(&r, "Db.Example:5432"), 0);
	assert_true(allows(&r, "10.127.255.255", 80));
	assert_false(allows(&r, "10.128.0.0", 80));
	assert_false(allows(&r, "10.0.0.1", 81));
	assert_true(allows(&r, "fd12::3", 443));
	assert_false(allows(&r, "fc00::", 443));
	assert_true(allows(&r, "2001:db8::1", 1));
	assert_false(allows(&r, "2001:db8::2", 1));
	assert_false(allows(&r, "1.2.3.4", 5432));
	assert_true(rules_allow_name(&r, "db.example.", 5432));
	assert_false(rules_allow_name(&r, "db.example", 80));
	assert_false(rules_allow_name(&r, "xdb.example", 5432));
	rules_pin(&r, "DB.EXAMPLE", &pins);
	assert_true(allows(&r, "1.2.3.4", 5432));
	assert_false(allows(&r, "1.2.3.4", 80));
	pins.addr[0] = ip("127.0.0.1");
	rules_pin(&r, "db.example", &pins); /* rebinding: the first counts */
	assert_false(allows(&r, "127.0.0.1", 5432));
	rules_free(&r);
	assert_false(allows(&r, "1.2.3.4", 5432));
	assert_int_equal(rules_add(&r, "any"), 0);
	assert_true(allows(&r, "1.2.3.4", 9));
	rules_free(&r);
}

/* SOCKS and DNS */

static void test_socks(void **state)
{
	static const uint8_t name[] = {5, 1, 0, 3, 2, 'a', 'b', 0x12, 0x34};
	static const uint8_t bind[] = {5, 2, 0, 1, 1, 2, 3, 4, 0, 80};
	static const uint8_t odd[] = {5, 1, 0, 9, 1};
	struct socks_request r;

	(void)state;
	assert_int_equal(socks_greeting_len((uint8_t *)"\4", 1), -EPROTO);
	assert_int_equal(socks_greeting_len((uint8_t *)"\5\2", 2), 4);
	assert_true(socks_greeting_suits((uint8_t *)"\5\2\1\0"));
	assert_false(socks_greeting_suits((uint8_t *)"\5\1\2"));
	assert_int_equal(socks_request_len(name, 4), 0);
	assert_int_equal(socks_request_len(name, 5), sizeof(name));
	assert_int_equal(socks_parse(&r, name), SOCKS_OK);
	assert_string_equal(r.name, "ab");
	assert_int_equal(r.port, 0x1234);
	assert_int_equal(socks_parse(&r, bind), SOCKS_BAD_COMMAND);
	assert_int_equal(socks_parse(&r, odd), SOCKS_BAD_ADDRESS);
}

static void test_dns(void **state)
{
	static const uint8_t ask[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0"
				     "\1a\2bc\0\0\1\0\1";
	struct rule_pins pins = {2, {ip("::1"), ip("9.8.7.6")}};
	struct dns_query q;
	struct buf out = {0};
	struct in6_addr a, b;

	(void)state;
	assert_int_equal(dns_parse(&q, ask, sizeof(ask) - 1), 0);
	assert_string_equal(q.name, "a.bc");
	for (size_t n = 0; n < sizeof(ask) - 1; n++)
		assert_int_equal(dns_parse(&q, ask, n), -EPROTO);
	assert_int_equal(dns_parse(&q, ask, sizeof(ask) - 1), 0);
	dns_answer(&out, ask, &q, DNS_OK, &pins, NULL);
	assert_int_equal(buf_len(&out), 2 + sizeof(ask) - 1 + 16);
	assert_memory_equal(out.data + buf_len(&out) - 4, "\11\10\7\6", 4);
	assert_int_equal(out.data[2 + 7], 1);
	buf_drop(&out);
	assert_int_equal(dns_reverse("4.3.2.1.in-addr.arpa", &a), 0);
	b = ip("1.2.3.4");
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(dns_reverse("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
				     "0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
			     &a),
	    0);
	b = ip("2001:db8::1");
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(dns_reverse("300.3.2.1.in-addr.arpa", &a), -EINVAL);
}

/* A guest in memory: descriptor table, rings, then buffers. */

#define MEM   65536
#define SIZE  8
#define AVAIL 256
#define USED  512
#define RING  4096 /* the second ring's place */

static struct vhost_user vu;
static struct vsock_dev dev;
static uint8_t *mem;

static struct vring_desc *desc(int ring, int i)
{
	return (struct vring_desc *)(mem + ring * RING) + i;
}

static void offer(int ring, uint16_t head)
{
	struct vring_avail *a = (void *)(mem + ring * RING + AVAIL);

	a->ring[a->idx % SIZE] = head;
	a->idx++;
}

static struct vring_used *used(int ring)
{
	return (void *)(mem + ring * RING + USED);
}

static void set(uint32_t request, uint32_t size, struct vu_msg *m)
{
	m->request = request;
	m->flags = 1;
	m->size = size;
	if (vhost_user_message(&vu, m) < 0)
		fail_msg("request %u", request);
}

static int device_setup(void **state)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);
	struct vu_device device;
	struct vu_msg m;

	(void)state;
	assert_int_equal(loop_open(), 0);
	assert_int_equal(ftruncate(fd, MEM), 0);
	mem = mmap(NULL, MEM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memset(&vu, 0, sizeof(vu));
	memset(&dev, 0, sizeof(dev));
	vsock_dev_init(&dev, &device);
	vhost_user_init(&vu, &device);
	dev.v.guest_cid = 3;
	dev.v.control_port = 5000;
	m = (struct vu_msg){.u.u64 = 1ull << 32};
	set(2, 8, &m);
	m = (struct vu_msg){.fds = {fd}, .fd_count = 1};
	m.u.mem.count = 1;
	m.u.mem.region[0] = (struct vu_region){0x1000, MEM, 0x700000, 0};
	set(5, 8 + 32, &m);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t at = 0x700000 + i * RING;

		m = (struct vu_msg){.u.ring = {i, SIZE}};
		set(8, 8, &m);
		m = (struct vu_msg){0};
		m.u.addr.index = i;
		m.u.addr.desc = at;
		m.u.addr.avail = at + AVAIL;
		m.u.addr.used = at + USED;
		set(9, 40, &m);
		assert_int_equal(vq_map(&dev.vq[i]), 0);
		dev.vq[i].running = dev.vq[i].enabled = true;
	}
	return 0;
}

static int device_teardown(void **state)
{
	(void)state;
	vhost_user_stop(&vu);
	loop_close();
	munmap(mem, MEM);
	return 0;
}

static void test_vq(void **state)
{
	static struct vq_chain c;
	struct vq *q = &dev.vq[VQ_TX];

	(void)state;
	assert_int_equal(vq_peek(q, &c), 0);
	*desc(1, 0) = (struct vring_desc){0x3000, 44, 1 /* NEXT */, 3};
	*desc(1, 3) = (struct vring_desc){0x1000 + MEM - 16, 16, 2, 0};
	offer(1, 0);
	assert_int_equal(vq_peek(q, &c), 1);
	assert_int_equal(c.out_len, 44);
	assert_int_equal(c.in_len, 16);
	desc(1, 3)->len = 17; /* beyond the end of memory */
	assert_int_equal(vq_peek(q, &c), -EPROTO);
	*desc(1, 3) = (struct vring_desc){0x3000, 1, 1, 0}; /* a circle */
	assert_int_equal(vq_peek(q, &c), -EPROTO);
	*desc(1, 3) = (struct vring_desc){0x3000, 1, 1, 8}; /* outside */
	assert_int_equal(vq_peek(q, &c), -EPROTO);
	*desc(1, 3) = (struct vring_desc){UINT64_MAX - 3, 16, 0, 0};
	assert_int_equal(vq_peek(q, &c), -EPROTO);
	desc(1, 0)->flags = 3; /* writable before readable */
	*desc(1, 3) = (struct vring_desc){0x3000, 1, 0, 0};
	assert_int_equal(vq_peek(q, &c), -EPROTO);
	*desc(1, 0) = (struct vring_desc){0x5000, 32, 4 /* INDIRECT */, 0};
	*(struct vring_desc *)(mem + 0x4000) =
	    (struct vring_desc){0x3000, 5, 1, 1};
	*(struct vring_desc *)(mem + 0x4010) =
	    (struct vring_desc){0x3000, 6, 2, 0};
	assert_int_equal(vq_peek(q, &c), 1);
	assert_int_equal(c.out_len, 5);
	((struct vring_desc *)(mem + 0x4010))->flags = 4; /* nested */
	assert_int_equal(vq_peek(q, &c), -EPROTO);
	desc(1, 0)->len = 33;
	assert_int_equal(vq_peek(q, &c), -EPROTO);
	((struct vring_avail *)(mem + RING + AVAIL))->idx = SIZE + 1;
	assert_int_equal(vq_peek(q, &c), -EPROTO);
}

/* Connections: packets go in by call, and come out of the RX ring. */

static struct virtio_vsock_hdr *rx(unsigned i)
{
	return (void *)(mem + 0x8000 + i * 1024);
}

static unsigned rx_seen;

static void rx_post(void)
{
	for (unsigned i = 0; i < SIZE; i++) {
		*desc(0, (int)i) =
		    (struct vring_desc){0x9000 + i * 1024, 1024, 2, 0};
		offer(0, (uint16_t)i);
	}
	rx_seen = 0;
}

static struct virtio_vsock_hdr *rx_next(void)
{
	loop_defer(&dev.task);
	loop_turn();
	if (used(0)->idx == rx_seen)
		return NULL;
	return rx(used(0)->ring[rx_seen++ % SIZE].id);
}

static void packet(uint16_t op, uint32_t len, uint32_t window, uint32_t flags)
{
	static uint8_t data[1 << 20];
	struct virtio_vsock_hdr h = {.src_cid = 3,
	    .dst_cid = 2,
	    .src_port = 77,
	    .dst_port = 5000,
	    .len = len,
	    .type = 1,
	    .op = op,
	    .flags = flags,
	    .buf_alloc = window};
	struct iovec iov = {data, len};

	vsock_dev_packet(&dev, &h, &iov, len ? 1 : 0, len);
}

static struct user {
	size_t take; /* how much `out` takes now */
	size_t got, give;
	bool ended, in_end;
	int closed, error;
	struct vsock_stream *s;
} user;

static ssize_t user_in(struct vsock_stream *s, struct iovec *iov, int n)
{
	size_t len = 0;

	(void)s;
	for (int i = 0; i < n; i++)
		len += iov[i].iov_len;
	len = MIN(len, user.give);
	user.give -= len;
	if (len)
		return (ssize_t)len;
	return user.in_end ? 0 : -EAGAIN;
}

static ssize_t user_out(struct vsock_stream *s, const struct iovec *iov, int n)
{
	size_t len = 0;

	(void)s;
	if (user.error)
		return user.error;
	for (int i = 0; i < n; i++)
		len += iov[i].iov_len;
	len = MIN(len, user.take);
	user.take -= len;
	user.got += len;
	return len ? (ssize_t)len : -EAGAIN;
}

static void user_ended(struct vsock_stream *s)
{
	(void)s;
	user.ended = true;
}

static void user_closed(struct vsock_stream *s, int err)
{
	(void)s;
	user.closed = err ? err : 1;
}

static const struct vsock_user test_user = {
    .in = user_in,
    .out = user_out,
    .out_end = user_ended,
    .closed = user_closed,
};

static int test_accept(struct vsock *v, struct vsock_stream *s, unsigned role)
{
	(void)v;
	s->user = &test_user;
	user.s = s;
	return role ? -ECONNREFUSED : 0;
}

enum { REQUEST = 1, RESPONSE, RST, SHUTDOWN, RW, CREDIT_UPDATE, ASK };

static void connect_guest(uint32_t window)
{
	memset(&user, 0, sizeof(user));
	dev.v.accept = test_accept;
	rx_post();
	packet(REQUEST, 0, window, 0);
	assert_int_equal(rx_next()->op, RESPONSE);
}

static void test_conn_window(void **state)
{
	struct virtio_vsock_hdr *h;

	(void)state;
	connect_guest(100);
	user.give = 1000;
	vsock_in_ready(user.s);
	h = rx_next();
	assert_int_equal(h->op, RW);
	assert_int_equal(h->len, 100); /* not beyond the guest's window */
	assert_null(rx_next());
	user.take = 10; /* the rest is kept, and taken later */
	packet(RW, CONN_WINDOW, 100, 0);
	assert_int_equal(user.got, 10);
	user.take = CONN_WINDOW;
	vsock_out_ready(user.s);
	h = rx_next();
	assert_int_equal(user.got, CONN_WINDOW);
	assert_int_equal(h->op, CREDIT_UPDATE);
	assert_int_equal(h->fwd_cnt, CONN_WINDOW);
	packet(ASK, 0, 100, 0);
	assert_int_equal(rx_next()->op, CREDIT_UPDATE);
	user.take = 0;
	packet(RW, CONN_WINDOW, 100, 0); /* nothing is taken: all kept */
	assert_int_equal(user.closed, 0);
	packet(RW, 1, 100, 0); /* more than was promised */
	assert_int_equal(user.closed, -ECONNRESET);
	assert_int_equal(rx_next()->op, RST);
	assert_int_equal(dev.conn_count, 0);
}

static void test_conn_close(void **state)
{
	(void)state;
	connect_guest(1000);
	packet(RW, 50, 1000, 0);
	packet(SHUTDOWN, 0, 1000, 3);
	assert_null(rx_next());  /* 50 bytes are not out yet */
	packet(RST, 0, 1000, 0); /* the guest got tired: still in order */
	assert_null(rx_next());
	assert_int_equal(user.closed, 0);
	user.take = 50;
	vsock_out_ready(user.s);
	assert_null(rx_next());
	assert_int_equal(user.got, 50);
	assert_true(user.ended);
	assert_int_equal(user.closed, 1);
	assert_int_equal(dev.conn_count, 0);
}

static void test_conn_half(void **state)
{
	struct virtio_vsock_hdr *h;

	(void)state;
	connect_guest(1000);
	user.in_end = true;
	user.give = 5;
	vsock_in_ready(user.s);
	assert_int_equal(rx_next()->op, RW);
	h = rx_next();
	assert_int_equal(h->op, SHUTDOWN);
	assert_int_equal(h->flags, VIRTIO_VSOCK_SHUTDOWN_SEND);
	user.take = 7;
	packet(RW, 7, 1000, 0); /* the other half goes on */
	assert_int_equal(user.got, 7);
	packet(SHUTDOWN, 0, 1000, 3);
	assert_int_equal(rx_next()->op, RST);
	assert_int_equal(user.closed, 1);
	assert_int_equal(dev.conn_count, 0);
}

static void test_conn_wrong(void **state)
{
	struct virtio_vsock_hdr *h;

	(void)state;
	connect_guest(1000);
	user.error = -EPIPE;
	packet(RW, 5, 1000, 0);
	h = rx_next();
	assert_int_equal(h->op, SHUTDOWN);
	assert_int_equal(h->flags, VIRTIO_VSOCK_SHUTDOWN_RCV);
	packet(99, 0, 1000, 0);
	assert_int_equal(rx_next()->op, RST);
	packet(RW, 5, 1000, 0); /* of no connection */
	assert_int_equal(rx_next()->op, RST);
	packet(RST, 0, 1000, 0); /* never answered */
	assert_null(rx_next());
}

static void test_device_reset(void **state)
{
	(void)state;
	connect_guest(1000);
	vsock_dev_reset(&dev);
	assert_int_equal(user.closed, -ECONNRESET);
	assert_int_equal(dev.conn_count, 0);
}

static void test_vhost_user(void **state)
{
	struct vu_msg m = {.request = 24, .flags = 1, .size = 20};
	static const uint32_t bad[] = {0, 6, 7, 19, 23, 25, 33, 35, 9999};

	(void)state;
	m.u.config.size = 8;
	assert_int_equal(vhost_user_message(&vu, &m), 1);
	assert_int_equal(m.u.config.data[0], 3); /* the CID */
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		m = (struct vu_msg){.request = bad[i], .flags = 1, .size = 40};
		assert_true(vhost_user_message(&vu, &m) < 0);
	}
	m = (struct vu_msg){.request = 8, .flags = 1, .size = 8};
	m.u.ring.index = 2; /* no such ring */
	m.u.ring.value = 8;
	assert_true(vhost_user_message(&vu, &m) < 0);
	m = (struct vu_msg){.request = 5, .flags = 1, .size = 40};
	m.u.mem.count = 1; /* without a descriptor */
	assert_true(vhost_user_message(&vu, &m) < 0);
}

static void test_image(void **state)
{
	struct image im;
	char why[256];

	(void)state;
	assert_int_equal(image_open(&im, "/no/such", why, sizeof(why)), 127);
	assert_int_equal(
	    image_open(&im, "/proc/self/exe", why, sizeof(why)), 126);
	assert_non_null(strstr(why, "not a Toril image"));
	assert_int_equal(image_open(&im, "/", why, sizeof(why)), 126);
}

#define DEVICE(f)                                                              \
	cmocka_unit_test_setup_teardown(f, device_setup, device_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_options),
	    cmocka_unit_test(test_as_process),
	    cmocka_unit_test(test_options_wrong),
	    cmocka_unit_test(test_rules),
	    cmocka_unit_test(test_socks),
	    cmocka_unit_test(test_dns),
	    cmocka_unit_test(test_image),
	    DEVICE(test_vq),
	    DEVICE(test_conn_window),
	    DEVICE(test_conn_close),
	    DEVICE(test_conn_half),
	    DEVICE(test_conn_wrong),
	    DEVICE(test_device_reset),
	    DEVICE(test_vhost_user),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

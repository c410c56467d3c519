/* SPDX-License-Identifier: BSD-2-Clause */
/* Byte queues against a plain buffer. */
#include "tests/unit/cmocka.h"
#include <stdlib.h>
#include <string.h>
#include "kernel/net/byteq.h"
#include "tests/unit/shim/shim.h"

static struct byteq q;

static void start(void)
{
	shim_memory_left = -1;
	shim_bad_start = shim_bad_end = NULL;
	byteq_init(&q);
}

static void stop(void)
{
	byteq_destroy(&q);
	assert_int_equal(byteq_bytes(&q), 0);
	assert_int_equal(shim_memory_used, 0);
	assert_int_equal(shim_locks_held, 0);
}

static ssize_t write_bytes(const void *data, size_t n, size_t most)
{
	struct iovec iov = {(void *)(uintptr_t)data, n};
	struct iov_iter it;

	iter_init(&it, &iov, 1, false);
	return byteq_write(&q, &it, most);
}

static ssize_t read_bytes(void *data, size_t n, bool peek)
{
	struct iovec iov = {data, n};
	struct iov_iter it;

	iter_init(&it, &iov, 1, false);
	return byteq_read(&q, &it, peek);
}

/* The byte at each place of the stream. */
static unsigned char at(size_t i)
{
	return (unsigned char)(i * 31 + (i >> 9));
}

static void fill(unsigned char *p, size_t from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = at(from + i);
}

static void check(const unsigned char *p, size_t from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(p[i], at(from + i));
}

static bool append_page(size_t from, unsigned off, unsigned n)
{
	struct page *p = page_alloc(0, 0);

	assert_non_null(p);
	fill((unsigned char *)page_to_virt(p) + off, from, n);
	if (byteq_append_page(&q, p, off, n))
		return true;
	page_unref(p);
	return false;
}

static size_t random_in(size_t in, unsigned char *buf)
{
	size_t n = 1 + (size_t)rand() % (rand() % 4 ? 300 : 9000);

	switch (rand() % 3) {
	case 0:
		fill(buf, in, n);
		assert_true(byteq_append(&q, buf, n));
		return n;
	case 1:
		n = 1 + n % 4000;
		assert_true(
		    append_page(in, (unsigned)(4096 - n) / 2, (unsigned)n));
		return n;
	default:
		fill(buf, in, n);
		assert_int_equal(write_bytes(buf, n, n), n);
		return n;
	}
}

static size_t random_out(size_t out, unsigned char *buf, size_t have)
{
	size_t n = 1 + (size_t)rand() % 9000, expect = min(n, have);

	switch (rand() % 4) {
	case 0:
		assert_int_equal(byteq_peek(&q, buf, n), expect);
		check(buf, out, expect);
		return 0;
	case 1:
		assert_int_equal(read_bytes(buf, n, true), expect);
		check(buf, out, expect);
		return 0;
	case 2:
		byteq_drop(&q, expect);
		return expect;
	default:
		assert_int_equal(read_bytes(buf, n, false), expect);
		check(buf, out, expect);
		return expect;
	}
}

static void random_stream(void **state)
{
	static unsigned char buf[10000];
	size_t in = 0, out = 0;

	(void)state;
	start();
	srand(4);
	for (int i = 0; i < 20000; i++) {
		if (in - out < 100000 && rand() % 2)
			in += random_in(in, buf);
		else
			out += random_out(out, buf, in - out);
		assert_int_equal(byteq_bytes(&q), in - out);
	}
	stop();
}

static void small_pieces_share_chunks(void **state)
{
	(void)state;
	start();
	for (int i = 0; i < 10000; i++)
		assert_int_equal(write_bytes("x", 1, 1), 1);
	assert_int_equal(byteq_bytes(&q), 10000);
	stop();
}

static void pages_are_given_back(void **state)
{
	unsigned char c;

	(void)state;
	start();
	assert_true(append_page(0, 4, 2000));
	byteq_drop(&q, 1999);
	assert_int_equal(shim_memory_used, 2);
	assert_int_equal(read_bytes(&c, 1, false), 1);
	assert_int_equal(c, at(1999));
	assert_int_equal(shim_memory_used, 1); /* the empty chunk */
	assert_int_equal(read_bytes(&c, 1, false), 0);
	stop();
}

static void no_memory(void **state)
{
	static unsigned char big[100000];

	(void)state;
	start();
	shim_memory_left = 0;
	assert_false(byteq_append(&q, big, 10));
	assert_int_equal(write_bytes(big, 1000, 1000), -ENOMEM);
	assert_int_equal(write_bytes(big, 10, 10), -ENOMEM);
	shim_memory_left = 2;
	assert_in_range(
	    write_bytes(big, sizeof(big), sizeof(big)), 1000, 99999);
	shim_memory_left = 1;
	assert_false(append_page(0, 0, 10));
	stop();
}

static void bad_addresses(void **state)
{
	static unsigned char buf[4000];
	static unsigned char in[4000];

	(void)state;
	start();
	fill(in, 0, sizeof(in));
	assert_int_equal(write_bytes(in, 3000, 3000), 3000);
	shim_bad_start = (char *)buf + 1500;
	shim_bad_end = (char *)buf + 1600;
	assert_int_equal(read_bytes(buf, 3000, true), 1500);
	assert_int_equal(read_bytes(buf, 3000, false), 1500);
	check(buf, 0, 1500);
	assert_int_equal(read_bytes(buf + 1500, 10, false), -EFAULT);
	assert_int_equal(byteq_bytes(&q), 1500); /* nothing lost */
	assert_int_equal(read_bytes(buf + 1600, 1500, false), 1500);
	check(buf + 1600, 1500, 1500);
	assert_int_equal(write_bytes(buf + 1500, 10, 10), -EFAULT);
	assert_int_equal(write_bytes(buf + 1500, 1000, 1000), -EFAULT);
	assert_int_equal(byteq_bytes(&q), 0);
	stop();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_stream),
	    cmocka_unit_test(small_pieces_share_chunks),
	    cmocka_unit_test(pages_are_given_back),
	    cmocka_unit_test(no_memory),
	    cmocka_unit_test(bad_addresses),
	};

	return RUN_TAP(tests);
}

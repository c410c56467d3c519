/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A byte queue between two host threads, under ThreadSanitizer: what is
 * written in pieces of all kinds comes out as it went in, and all memory is
 * given back.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/mm/kmem.h"
#include "kernel/net/byteq.h"
#include "tests/unit/cmocka.h"

#define TOTAL (8u << 20)
#define LIMIT 65536u

static struct byteq q;
static atomic_long objects;

void *kmalloc(size_t size)
{
	objects++;
	return malloc(size);
}

void kfree(void *p)
{
	objects -= p != NULL;
	free(p);
}

/* A page is its own memory. */
void *page_to_virt(const struct page *p)
{
	return (void *)(uintptr_t)p;
}

void page_unref(struct page *p)
{
	kfree(p);
}

ssize_t iter_in(void *dst, size_t n, struct iov_iter *it)
{
	memcpy(dst, (char *)it->iov->iov_base + it->skip, n);
	it->skip += n;
	it->left -= n;
	return (ssize_t)n;
}

ssize_t iter_out(struct iov_iter *it, const void *src, size_t n)
{
	memcpy((char *)it->iov->iov_base + it->skip, src, n);
	it->skip += n;
	it->left -= n;
	return (ssize_t)n;
}

void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

static unsigned char at(size_t i)
{
	return (unsigned char)(i * 31 + (i >> 9));
}

static void put(unsigned char *buf, size_t n, unsigned how)
{
	struct iovec iov = {buf, n};
	struct iov_iter it = {.iov = &iov, .nr = 1, .left = n, .kernel = true};
	struct page *p;

	if (how == 0) {
		assert_true(byteq_append(&q, buf, n));
	} else if (how == 1) {
		assert_int_equal(byteq_write(&q, &it, n), n);
	} else {
		p = kmalloc(n + 100);
		memcpy((char *)p + 100, buf, n);
		assert_true(byteq_append_page(&q, p, 100, (unsigned)n));
	}
}

static void *writer(void *arg)
{
	static unsigned char buf[9000];
	unsigned seed = 1;

	for (size_t in = 0; in < TOTAL;) {
		size_t n = 1 + (size_t)rand_r(&seed) %
				   (rand_r(&seed) % 4 ? 40 : sizeof(buf));
		n = min(n, TOTAL - in);
		while (byteq_bytes(&q) >= LIMIT)
			sched_yield();
		for (size_t i = 0; i < n; i++)
			buf[i] = at(in + i);
		put(buf, n, (unsigned)rand_r(&seed) % 3);
		in += n;
	}
	return arg;
}

static size_t get(unsigned char *buf, size_t n, unsigned how)
{
	struct iovec iov = {buf, n};
	struct iov_iter it = {.iov = &iov, .nr = 1, .left = n, .kernel = true};
	size_t got;

	if (how)
		return (size_t)byteq_read(&q, &it, false);
	got = byteq_peek(&q, buf, n);
	byteq_drop(&q, got);
	return got;
}

static void stream_between_threads(void **state)
{
	static unsigned char buf[9000];
	unsigned seed = 2;
	pthread_t t;

	(void)state;
	byteq_init(&q);
	assert_int_equal(pthread_create(&t, NULL, writer, NULL), 0);
	for (size_t out = 0; out < TOTAL;) {
		size_t n = 1 + (size_t)rand_r(&seed) %
				   (rand_r(&seed) % 4 ? 40 : sizeof(buf));
		n = get(buf, n, rand_r(&seed) % 2);
		for (size_t i = 0; i < n; i++)
			if (buf[i] != at(out + i))
				fail();
		out += n;
		if (!n)
			sched_yield();
	}
	pthread_join(t, NULL);
	assert_int_equal(byteq_bytes(&q), 0);
	byteq_destroy(&q);
	assert_int_equal(objects, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stream_between_threads),
	};

	return RUN_TAP(tests);
}

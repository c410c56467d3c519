/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads allocate, pass pieces to each other and free what others have
 * allocated: nobody's contents change, and calloc's is zero. */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include "tests/posix/check.h"

#define THREADS 4
#define ROUNDS  20000
#define SHELF   256

struct piece {
	size_t size;
	unsigned char pattern;
};

static _Atomic(struct piece *) shelf[SHELF];

static void *fill(struct piece *p, size_t size, unsigned pattern)
{
	p->size = size;
	p->pattern = (unsigned char)pattern;
	memset(p + 1, (int)p->pattern, size - sizeof(*p));
	return p;
}

static void check(const struct piece *p)
{
	const unsigned char *c = (const void *)(p + 1);

	CHECK(malloc_usable_size((void *)(uintptr_t)p) >= p->size);
	for (size_t i = 0; i < p->size - sizeof(*p); i++)
		CHECK(c[i] == p->pattern);
}

static size_t size_of(unsigned x)
{
	return sizeof(struct piece) + x % (x >> 22 & 15 ? 3000 : 50000);
}

static struct piece *obtain(unsigned x)
{
	size_t size = size_of(x);
	unsigned char *c;

	if (x & 1 << 20)
		return malloc(size);
	if (x & 1 << 21)
		return aligned_alloc(64, (size + 63) & ~63ul);
	c = calloc(1, size);
	for (size_t i = 0; c && i < size; i++)
		CHECK(!c[i]);
	return (void *)c;
}

static void *work(void *arg)
{
	unsigned x = (unsigned)(long)arg * 7919 + 1;

	for (int i = 0; i < ROUNDS; i++) {
		struct piece *p;
		x = x * 1664525 + 1013904223;
		p = obtain(x >> 3);
		CHECK(p);
		fill(p, size_of(x >> 3), x >> 24);
		if (x & 1 << 30) {
			p = realloc(p, p->size + 100);
			CHECK(p);
			check(p);
			fill(p, p->size + 100, x >> 23);
		}
		p = atomic_exchange(&shelf[x >> 8 & (SHELF - 1)], p);
		if (p)
			check(p);
		free(p);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];

	work(NULL); /* alone from the start */
	for (int again = 0; again < 3; again++) {
		for (long i = 0; i < THREADS; i++)
			CHECK(!pthread_create(&t[i], NULL, work, (void *)i));
		for (int i = 0; i < THREADS; i++)
			CHECK(!pthread_join(t[i], NULL));
		work(NULL); /* alone, with what those have left */
	}
	for (int i = 0; i < SHELF; i++)
		free(shelf[i]);
	return 0;
}

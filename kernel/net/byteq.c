/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Byte queues; see byteq.h.
 *
 * A linked list of chunks without a lock: the writer links new ones behind the
 * last and fills that one's space, the reader moves on from the first.  Each
 * counts in a variable of its own.  The last chunk stays when it has been read,
 * since the writer may be about to use it; if it can take no more its data
 * goes.
 */
#include "kernel/net/byteq.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"

#define SMALL     256  /* copied through the stack */
#define CHUNK_MIN 256  /* with its data in itself */
#define DATA_MAX  2048 /* of a chunk with its data elsewhere */

struct byteq_chunk {
	struct byteq_chunk *next; /* [writer, release] */
	char *data;               /* [i, reader] NULL: read, and freed */
	struct page *page;        /* [i] what holds the data, or NULL */
	uint32_t off;             /* [reader] */
	uint32_t fill;            /* [writer, release] */
	uint32_t cap;             /* [i] */
	char inside[];
};

static uint32_t chunk_fill(const struct byteq_chunk *c)
{
	return __atomic_load_n(&c->fill, __ATOMIC_ACQUIRE);
}

/* For n bytes or a part of them: what is long gets just the memory that it
 * needs, and nothing is added to it. */
static struct byteq_chunk *chunk_create(size_t n)
{
	bool inside = n <= CHUNK_MIN - sizeof(struct byteq_chunk);
	struct byteq_chunk *c =
	    kmalloc(inside ? CHUNK_MIN : sizeof(struct byteq_chunk));

	if (!c)
		return NULL;
	n = inside ? CHUNK_MIN - sizeof(*c) : min(n, (size_t)DATA_MAX);
	*c = (struct byteq_chunk){.cap = (uint32_t)n};
	c->data = inside ? c->inside : kmalloc(n);
	if (!c->data) {
		kfree(c);
		return NULL;
	}
	return c;
}

static void chunk_drop_data(struct byteq_chunk *c)
{
	if (c->page)
		page_unref(c->page);
	else if (c->data != c->inside)
		kfree(c->data);
	c->data = NULL;
	c->page = NULL;
}

static void chunk_free(struct byteq_chunk *c)
{
	chunk_drop_data(c);
	kfree(c);
}

void byteq_init(struct byteq *q)
{
	*q = (struct byteq){.first = NULL};
}

static struct byteq_chunk *next_of(
    const struct byteq *q, const struct byteq_chunk *c)
{
	return __atomic_load_n(c ? &c->next : &q->first, __ATOMIC_ACQUIRE);
}

void byteq_destroy(struct byteq *q)
{
	struct byteq_chunk *c = q->head ? q->head : q->first, *next;

	for (; c; c = next) {
		next = c->next;
		chunk_free(c);
	}
	byteq_init(q);
}

/* n more bytes can be read. */
static void came(struct byteq *q, size_t n)
{
	__atomic_store_n(&q->in, q->in + n, __ATOMIC_RELEASE);
}

static void push(struct byteq *q, struct byteq_chunk *c)
{
	struct byteq_chunk **link = q->tail ? &q->tail->next : &q->first;
	size_t n = c->fill - c->off;

	__atomic_store_n(link, c, __ATOMIC_RELEASE); /* and the reader has it */
	q->tail = c;
	came(q, n);
}

/* Copy as much as fits behind the last chunk's data. */
static size_t fill_tail(struct byteq *q, const void *data, size_t n)
{
	struct byteq_chunk *c = q->tail;

	if (!c || c->fill == c->cap)
		return 0;
	n = min(n, (size_t)(c->cap - c->fill));
	memcpy(c->data + c->fill, data, n);
	__atomic_store_n(&c->fill, c->fill + (uint32_t)n, __ATOMIC_RELEASE);
	came(q, n);
	return n;
}

bool byteq_append(struct byteq *q, const void *data, size_t n)
{
	const char *p = data;
	size_t done = fill_tail(q, p, n);

	while (done < n) {
		struct byteq_chunk *c = chunk_create(n - done);
		if (!c)
			return false;
		c->fill = (uint32_t)min(n - done, (size_t)c->cap);
		memcpy(c->data, p + done, c->fill);
		done += c->fill;
		push(q, c);
	}
	return true;
}

bool byteq_append_page(
    struct byteq *q, struct page *p, unsigned off, unsigned n)
{
	struct byteq_chunk *c = kmalloc(sizeof(*c));

	if (!c)
		return false;
	*c = (struct byteq_chunk){.page = p,
	    .data = page_to_virt(p),
	    .off = off,
	    .fill = off + n,
	    .cap = off + n};
	push(q, c);
	return true;
}

ssize_t byteq_write(struct byteq *q, struct iov_iter *it, size_t n)
{
	size_t done = 0;

	n = min(n, it->left);
	while (done < n) {
		char small[SMALL];
		struct byteq_chunk *c;
		ssize_t r;
		if (n - done <= SMALL) {
			r = iter_in(small, n - done, it);
			if (r <= 0)
				return done ? (ssize_t)done : r;
			if (!byteq_append(q, small, (size_t)r))
				return -ENOMEM;
			done += (size_t)r;
			continue;
		}
		c = chunk_create(n - done);
		if (!c)
			return done ? (ssize_t)done : -ENOMEM;
		r = iter_in(c->data, min(n - done, (size_t)c->cap), it);
		if (r <= 0) {
			chunk_free(c);
			return done ? (ssize_t)done : r;
		}
		c->fill = (uint32_t)r;
		done += (size_t)r;
		push(q, c);
	}
	return (ssize_t)done;
}

/* Take n bytes off the first chunk. */
static void consume(struct byteq *q, struct byteq_chunk *c, size_t n)
{
	c->off += (uint32_t)n;
	if (c->off == c->cap)
		chunk_drop_data(c);
	__atomic_store_n(&q->out, q->out + n, __ATOMIC_RELEASE);
}

/* The chunk with the first byte, or NULL; frees those before it. */
static struct byteq_chunk *front(struct byteq *q)
{
	struct byteq_chunk *c = q->head, *next;

	for (;;) {
		next = next_of(q, c); /* nothing is added to c after that */
		if (c && c->off < chunk_fill(c))
			return c;
		if (!next)
			return NULL;
		if (c)
			chunk_free(c);
		q->head = c = next;
	}
}

/* What the writer has put in but not counted yet stays, or the queue would
 * have less than nothing for whoever looks. */
ssize_t byteq_read(struct byteq *q, struct iov_iter *it, bool peek)
{
	size_t done = 0, counted = byteq_bytes(q);
	struct byteq_chunk *c = counted ? front(q) : NULL;

	while (c && it->left && done < counted) {
		size_t want = min((size_t)(chunk_fill(c) - c->off), it->left);
		want = min(want, counted - done);
		ssize_t r = iter_out(it, c->data + c->off, want);
		if (r < 0)
			return done ? (ssize_t)done : r;
		if (!peek)
			consume(q, c, (size_t)r);
		done += (size_t)r;
		if ((size_t)r < want)
			break;
		c = peek ? next_of(q, c) : it->left ? front(q) : NULL;
	}
	return (ssize_t)done;
}

size_t byteq_peek(struct byteq *q, void *dst, size_t n)
{
	struct byteq_chunk *c = front(q);
	size_t done = 0;

	n = min(n, byteq_bytes(q));
	for (; c && done < n; c = next_of(q, c)) {
		size_t want = min((size_t)(chunk_fill(c) - c->off), n - done);
		memcpy((char *)dst + done, c->data + c->off, want);
		done += want;
	}
	return done;
}

void byteq_drop(struct byteq *q, size_t n)
{
	while (n) {
		struct byteq_chunk *c = front(q);
		size_t len;
		assert(c);
		len = min((size_t)(chunk_fill(c) - c->off), n);
		consume(q, c, len);
		n -= len;
	}
}

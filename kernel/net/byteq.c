/* SPDX-License-Identifier: BSD-2-Clause */
/* Byte queues; see byteq.h. */
#include "kernel/net/byteq.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"

#define SMALL 256 /* copied through the stack, and into a tail's space */

struct chunk {
	struct list node;
	struct page *page; /* holds the data, or NULL: it follows the struct */
	uint32_t off, len, cap;
	char data[];
};

static char *chunk_data(struct chunk *c)
{
	return c->page ? page_to_virt(c->page) : c->data;
}

static struct chunk *chunk_create(size_t cap)
{
	size_t size = sizeof(struct chunk) + cap;
	struct chunk *c = kmalloc(size < 2048 ? size : 2048);

	if (!c)
		return NULL;
	*c = (struct chunk){
	    .cap = (uint32_t)(kmem_size(c) - sizeof(struct chunk))};
	list_init(&c->node);
	return c;
}

static void chunk_free(struct chunk *c)
{
	if (c->page)
		page_unref(c->page);
	kfree(c);
}

void byteq_init(struct byteq *q)
{
	*q = (struct byteq){.lock = SPINLOCK_INIT};
	list_init(&q->chunks);
}

void byteq_destroy(struct byteq *q)
{
	struct chunk *c, *tmp;

	list_for_each_safe (c, tmp, &q->chunks, node) {
		list_remove(&c->node);
		chunk_free(c);
	}
	q->bytes = 0;
}

static void push(struct byteq *q, struct chunk *c)
{
	spin_lock(&q->lock);
	list_push_back(&q->chunks, &c->node);
	__atomic_store_n(&q->bytes, q->bytes + c->len, __ATOMIC_RELEASE);
	spin_unlock(&q->lock);
}

/* Copy as much as fits behind the last chunk's data. */
static size_t fill_tail(struct byteq *q, const void *data, size_t n)
{
	struct chunk *c;
	size_t room = 0;

	spin_lock(&q->lock);
	if (!list_empty(&q->chunks)) {
		c = list_last(&q->chunks, struct chunk, node);
		room = min(n, (size_t)(c->cap - c->off - c->len));
		memcpy(chunk_data(c) + c->off + c->len, data, room);
		c->len += (uint32_t)room;
		__atomic_store_n(&q->bytes, q->bytes + room, __ATOMIC_RELEASE);
	}
	spin_unlock(&q->lock);
	return room;
}

bool byteq_append(struct byteq *q, const void *data, size_t n)
{
	const char *p = data;
	size_t done = fill_tail(q, p, n);

	while (done < n) {
		struct chunk *c = chunk_create(n - done);
		if (!c)
			return false;
		c->len = (uint32_t)min(n - done, (size_t)c->cap);
		memcpy(c->data, p + done, c->len);
		done += c->len;
		push(q, c);
	}
	return true;
}

bool byteq_append_page(
    struct byteq *q, struct page *p, unsigned off, unsigned n)
{
	struct chunk *c = kmalloc(sizeof(*c));

	if (!c)
		return false;
	*c = (struct chunk){.page = p, .off = off, .len = n, .cap = off + n};
	push(q, c);
	return true;
}

ssize_t byteq_write(struct byteq *q, struct iov_iter *it, size_t n)
{
	size_t done = 0;

	n = min(n, it->left);
	while (done < n) {
		char small[SMALL];
		struct chunk *c;
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
		c->len = (uint32_t)r;
		done += (size_t)r;
		push(q, c);
	}
	return (ssize_t)done;
}

/* Take n bytes off the first chunk. */
static void consume(struct byteq *q, struct chunk *c, size_t n)
{
	bool empty;

	spin_lock(&q->lock);
	c->off += (uint32_t)n;
	c->len -= (uint32_t)n;
	__atomic_store_n(&q->bytes, q->bytes - n, __ATOMIC_RELEASE);
	empty = c->len == 0;
	if (empty)
		list_remove(&c->node);
	spin_unlock(&q->lock);
	if (empty)
		chunk_free(c);
}

/* The chunk behind c (NULL: the first) with a snapshot of its length. */
static struct chunk *next_chunk(struct byteq *q, struct chunk *c, size_t *len)
{
	struct list *n;

	spin_lock(&q->lock);
	n = c ? c->node.next : q->chunks.next;
	c = n == &q->chunks ? NULL : list_entry(n, struct chunk, node);
	*len = c ? c->len : 0;
	spin_unlock(&q->lock);
	return c;
}

ssize_t byteq_read(struct byteq *q, struct iov_iter *it, bool peek)
{
	struct chunk *c = NULL;
	size_t done = 0, len;

	while (it->left && (peek || byteq_bytes(q)) &&
	       (c = next_chunk(q, peek ? c : NULL, &len))) {
		size_t want = min(len, it->left);
		ssize_t r = iter_out(it, chunk_data(c) + c->off, want);
		if (r < 0)
			return done ? (ssize_t)done : r;
		if (!peek)
			consume(q, c, (size_t)r);
		done += (size_t)r;
		if ((size_t)r < want)
			break;
	}
	return (ssize_t)done;
}

size_t byteq_peek(struct byteq *q, void *dst, size_t n)
{
	struct chunk *c = NULL;
	size_t done = 0, len;

	while (done < n && (c = next_chunk(q, c, &len))) {
		size_t want = min(len, n - done);
		memcpy((char *)dst + done, chunk_data(c) + c->off, want);
		done += want;
	}
	return done;
}

void byteq_drop(struct byteq *q, size_t n)
{
	while (n) {
		size_t len;
		struct chunk *c = next_chunk(q, NULL, &len);
		assert(c);
		len = min(len, n);
		consume(q, c, len);
		n -= len;
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Freed memory that its thread keeps for itself.
 *
 * musl's allocator has one lock, so that two CPUs would do less with it than
 * one.  While there are several threads, small pieces that one frees stay on
 * lists of its own, by size class, and its next malloc takes them from there;
 * the lock is for what is beyond that.
 *
 * Large pieces stay even in a program with one thread, though no more than
 * LARGE_MAX bytes of them: the allocator maps memory for a few of them at a
 * time and unmaps it when the last is freed, which for a server that uses one
 * buffer a request means a mapping and its page faults with every request.
 *
 * A piece on a list has the state of an allocated one for the allocator, and
 * that of a freed one for the program: its header is invalid, so that a
 * second free is found out, and what malloc takes from a list passes the
 * allocator's own checks again.  It starts where its slot does; the first
 * bytes hold the link and the header.
 */
#include "meta.h"
#include "pthread_impl.h"

#define SMALL_CLASSES 24 /* up to 2 KiB */
#define SMALL_MAX     (UNIT * 127 - IB)
#define CLASSES       48 /* up to MMAP_THRESHOLD */
#define LARGE_MAX     (32 * 1024)

extern hidden void *__musl_malloc(size_t n);
extern hidden void __musl_free(void *p);
extern hidden int __musl_allzerop(void *p);
hidden void __toril_thread_cleanup(void);

struct piece {
	struct piece *next;
	uint16_t offset; /* of its slot in the group, in units */
	uint8_t index;   /* of the slot */
};

static __thread struct {
	struct piece *list[CLASSES];
	uint8_t count[CLASSES];
	size_t large;      /* bytes of the large ones */
	const void *dirty; /* given out last, from a mapping of its own */
} cache;

static unsigned most(int class)
{
	return class < 8               ? 64
	       : class < 16            ? 32
	       : class < SMALL_CLASSES ? 8
				       : 255;
}

/* The header of an allocated piece, and the group that it leads to. */
static struct meta *header_restore(struct piece *p)
{
	unsigned char *c = (void *)p;
	uint16_t offset = p->offset;
	uint8_t index = p->index;

	c[-4] = 0;
	c[-3] = index;
	*(uint16_t *)(c - 2) = offset;
	return get_meta(c);
}

static unsigned char *slot_end(const struct meta *g, int index)
{
	return g->mem->storage + get_stride(g) * (index + 1) - IB;
}

/* Not checked: of a piece that was when it came, or that will be. */
static const struct meta *group_of(const void *p, unsigned offset)
{
	const char *base = (const char *)p - UNIT * offset - UNIT;

	return ((const struct group *)base)->meta;
}

static struct piece *pop(int class)
{
	struct piece *p = cache.list[class];

	cache.list[class] = p->next;
	cache.count[class]--;
	if (class >= SMALL_CLASSES)
		cache.large -= get_stride(group_of(p, p->offset));
	return p;
}

/* Give back until only `left` pieces are there. */
static void give_back(int class, unsigned left)
{
	while (cache.count[class] > left) {
		struct piece *p = pop(class);
		int index = p->index;
		struct meta *g = header_restore(p);
		unsigned char *end = slot_end(g, index);

		set_size((void *)p, end, end - (unsigned char *)p);
		__musl_free(p);
	}
}

static void give_back_all(void)
{
	for (int class = 0; class < CLASSES; class ++)
		give_back(class, 0);
}

/* Of a program with one thread: a large one, if it is one at all. */
static int is_large(const unsigned char *p)
{
	const struct meta *g = group_of(p, *(const uint16_t *)(p - 2));

	return !p[-4] &&
	       g->sizeclass - SMALL_CLASSES + 0u < CLASSES - SMALL_CLASSES;
}

static int has_room(int class, size_t stride)
{
	if (class < SMALL_CLASSES) /* calloc takes an odd one for fresh */
		return stride == UNIT * size_classes[class];
	return class < CLASSES && cache.large + stride <= LARGE_MAX;
}

/* Whether the piece is kept. */
static int keep(unsigned char *p)
{
	struct meta *g = get_meta(p);
	int index = get_slot_index(p), class = g->sizeclass;
	size_t stride = get_stride(g);
	unsigned char *start = g->mem->storage + stride * index;
	struct piece *piece = (void *)start;

	if (!has_room(class, stride))
		return 0;
	get_nominal_size(p, start + stride - IB);
	p[-3] = 255;
	*(uint16_t *)(p - 2) = 0;
	if (p != start) {
		start[-3] = 255;
		*(uint16_t *)(start - 2) = 0;
	}
	if (cache.count[class] == most(class))
		give_back(class, most(class) / 2);
	piece->next = cache.list[class];
	piece->offset = (start - g->mem->storage) / UNIT;
	piece->index = index;
	cache.list[class] = piece;
	cache.count[class]++;
	if (class >= SMALL_CLASSES)
		cache.large += stride;
	return 1;
}

/* What a mapping of its own holds may be less than its class. */
static int fits(int class, size_t n)
{
	const struct piece *p = cache.list[class];

	return p && get_stride(group_of(p, p->offset)) - IB >= n;
}

static void *take(size_t n)
{
	int class = size_to_class(n), index;
	struct meta *g;
	struct piece *p;

	if (!fits(class, n))
		class |= 1; /* the allocator rounds up like this, too */
	if (!fits(class, n))
		return 0;
	p = pop(class);
	index = p->index;
	g = header_restore(p);
	set_size((void *)p, slot_end(g, index), n);
	if (class >= SMALL_CLASSES)
		cache.dirty = p;
	return p;
}

void *__libc_malloc_impl(size_t n)
{
	void *p = 0;

	if (n < MMAP_THRESHOLD && (libc.need_locks || n > SMALL_MAX))
		p = take(n);
	if (p)
		return p;
	p = __musl_malloc(n);
	if (!p) {
		give_back_all();
		p = __musl_malloc(n);
	}
	return p;
}

void __libc_free(void *p)
{
	if (p && (libc.need_locks || is_large(p)) && keep(p))
		return;
	__musl_free(p);
}

/* For calloc, which takes what has a mapping of its own for fresh. */
int __malloc_allzerop(void *p)
{
	return p != cache.dirty && __musl_allzerop(p);
}

static void nothing(void)
{
}
weak_alias(nothing, __dl_thread_cleanup);

/* Called by a thread that ends, in place of __dl_thread_cleanup. */
void __toril_thread_cleanup(void)
{
	__dl_thread_cleanup();
	give_back_all();
}

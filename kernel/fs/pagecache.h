/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of files kept in memory.
 *
 * Each inode has a tree of them by index.  The pages of cached files are on
 * one list in the order of their last use and the oldest go when there are
 * more than a quarter of all memory, or when the page allocator runs dry;
 * those that somebody holds, or that are dirty, stay.  The pages of a tmpfs
 * (`keep`) are the file itself and never leave by themselves.
 *
 * `gen` counts invalidations and writes: who reads a page from a server notes
 * it first, and a page that was overtaken is not entered.
 *
 * Nothing here sleeps; one spin lock covers all.
 */
#ifndef TORIL_KERNEL_FS_PAGECACHE_H
#define TORIL_KERNEL_FS_PAGECACHE_H

#include "kernel/lib/treap.h"
#include "kernel/mm/page.h"

struct pagecache {
	struct treap pages;
	uint32_t nr;      /* pages in it; a hint without the lock */
	uint32_t gen;     /* [a] */
	uint32_t writers; /* [a] shared mappings that may write */
	bool keep;
};

/* Once: take a share of memory, offer it for reclaim. */
void pagecache_init(void);

/* The page at index with a reference, or NULL. */
struct page *pagecache_get(struct pagecache *pc, uint64_t index);

/* The first index from `from` on that has a page, or has none. */
uint64_t pagecache_next(struct pagecache *pc, uint64_t from, bool present);

/* Enter a page, taking a reference of its own.  -EAGAIN: gen has moved on;
 * -EEXIST: there is one; -ENOMEM. */
int pagecache_add(
    struct pagecache *pc, uint64_t index, struct page *p, uint32_t gen);

/* Drop the pages first..last, dirty ones included; counts up gen. */
uint32_t pagecache_drop(struct pagecache *pc, uint64_t first, uint64_t last);

/* Drop all pages but dirty ones and, if asked, those that somebody holds. */
void pagecache_invalidate(struct pagecache *pc, bool keep_held);

/* The file now ends at size: drop what is beyond, clear the last page's
 * rest. */
uint32_t pagecache_truncate(struct pagecache *pc, uint64_t size);

/* Zero [from, to) where cached. */
void pagecache_clear(struct pagecache *pc, uint64_t from, uint64_t to);

/* A page that must be written back; and the next such in [first, last] with
 * a reference, its index in *index. */
void pagecache_set_dirty(struct pagecache *pc, uint64_t index);
struct page *pagecache_next_dirty(
    struct pagecache *pc, uint64_t first, uint64_t last, uint64_t *index);
void pagecache_set_clean(struct pagecache *pc, uint64_t index);

static inline uint64_t page_count(uint64_t bytes)
{
	return (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

static inline uint32_t pagecache_gen(const struct pagecache *pc)
{
	return __atomic_load_n(&pc->gen, __ATOMIC_ACQUIRE);
}

static inline void pagecache_changed(struct pagecache *pc)
{
	__atomic_add_fetch(&pc->gen, 1, __ATOMIC_ACQ_REL);
}

/* Most pages that may be cached. */
extern uint64_t pagecache_limit;

#endif

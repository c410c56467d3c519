/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of files kept in memory; see pagecache.h.
 *
 * The allocator calls reclaim from inside kmalloc, so dropping a page must
 * not call kfree: the records go on a list of spares that the next additions
 * use up.
 */
#include "kernel/fs/pagecache.h"
#include "kernel/lib/list.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/spinlock.h"

/* All [l] cache_lock. */
struct cached {
	struct treap_node node; /* key: index */
	struct list lru;        /* unlinked if kept or dirty */
	struct page *page;      /* with a reference */
	struct pagecache *owner;
	bool dirty;
};

uint64_t pagecache_limit = 256;

own_line static struct spinlock cache_lock = SPINLOCK_INIT;
static struct list lru = LIST_INIT(lru); /* oldest first */
static struct list spare = LIST_INIT(spare);
static uint64_t nr_cached; /* not counting those kept */

static struct cached *find_locked(struct pagecache *pc, uint64_t index)
{
	struct treap_node *n = treap_ceil(&pc->pages, index);

	if (!n || n->key != index)
		return NULL;
	return container_of(n, struct cached, node);
}

static void drop_locked(struct cached *c)
{
	treap_remove(&c->owner->pages, &c->node);
	c->owner->nr--;
	if (!c->owner->keep)
		nr_cached--;
	list_remove(&c->lru);
	page_unref(c->page);
	list_push_back(&spare, &c->lru);
}

/* Somebody else, a mapping perhaps, has a reference. */
static bool held(const struct cached *c)
{
	return __atomic_load_n(&c->page->refs, __ATOMIC_ACQUIRE) > 1;
}

static size_t shrink_locked(size_t n)
{
	struct cached *c, *tmp;
	size_t freed = 0;

	list_for_each_safe (c, tmp, &lru, lru) {
		if (freed == n)
			break;
		if (held(c))
			continue;
		drop_locked(c);
		freed++;
	}
	return freed;
}

static size_t reclaim(size_t n)
{
	size_t freed;

	spin_lock(&cache_lock);
	freed = shrink_locked(max(n, (size_t)16));
	spin_unlock(&cache_lock);
	return freed;
}

void pagecache_init(void)
{
	pagecache_limit = max(page_total() / PAGE_SIZE / 4, (uint64_t)16);
	page_set_reclaim(reclaim);
}

struct page *pagecache_get(struct pagecache *pc, uint64_t index)
{
	struct page *p = NULL;
	struct cached *c;

	if (!pc->nr)
		return NULL;
	spin_lock(&cache_lock);
	c = find_locked(pc, index);
	if (c) {
		p = c->page;
		page_ref(p);
		if (!pc->keep && !c->dirty) {
			list_remove(&c->lru);
			list_push_back(&lru, &c->lru);
		}
	}
	spin_unlock(&cache_lock);
	return p;
}

static struct cached *record_alloc(void)
{
	struct cached *c = NULL;

	spin_lock(&cache_lock);
	if (!list_empty(&spare)) {
		c = list_first(&spare, struct cached, lru);
		list_remove(&c->lru);
	}
	spin_unlock(&cache_lock);
	if (!c)
		c = kmalloc(sizeof(*c));
	if (c)
		list_init(&c->lru);
	return c;
}

int pagecache_add(
    struct pagecache *pc, uint64_t index, struct page *p, uint32_t gen)
{
	struct cached *c = record_alloc();
	int err = 0;

	if (!c)
		return -ENOMEM;
	spin_lock(&cache_lock);
	if (pagecache_gen(pc) != gen)
		err = -EAGAIN;
	else if (find_locked(pc, index))
		err = -EEXIST;
	if (err) {
		list_push_back(&spare, &c->lru);
		goto out;
	}
	page_ref(p);
	c->page = p;
	c->owner = pc;
	c->dirty = false;
	treap_insert(&pc->pages, &c->node, index);
	pc->nr++;
	if (!pc->keep) {
		list_push_back(&lru, &c->lru);
		if (++nr_cached > pagecache_limit)
			(void)shrink_locked(nr_cached - pagecache_limit);
	}
out:
	spin_unlock(&cache_lock);
	return err;
}

uint32_t pagecache_drop(struct pagecache *pc, uint64_t first, uint64_t last)
{
	struct treap_node *n, *next;
	uint32_t dropped = 0;

	spin_lock(&cache_lock);
	pagecache_changed(pc);
	for (n = treap_ceil(&pc->pages, first); n && n->key <= last; n = next) {
		next = treap_next(n);
		drop_locked(container_of(n, struct cached, node));
		dropped++;
	}
	spin_unlock(&cache_lock);
	return dropped;
}

void pagecache_invalidate(struct pagecache *pc, bool keep_held)
{
	struct treap_node *n, *next;

	spin_lock(&cache_lock);
	pagecache_changed(pc);
	for (n = treap_first(&pc->pages); n; n = next) {
		struct cached *c = container_of(n, struct cached, node);
		next = treap_next(n);
		if (!c->dirty && !(keep_held && held(c)))
			drop_locked(c);
	}
	spin_unlock(&cache_lock);
}

void pagecache_clear(struct pagecache *pc, uint64_t from, uint64_t to)
{
	struct treap_node *n;

	spin_lock(&cache_lock);
	n = treap_ceil(&pc->pages, from >> PAGE_SHIFT);
	for (; n && n->key << PAGE_SHIFT < to; n = treap_next(n)) {
		struct cached *c = container_of(n, struct cached, node);
		uint64_t start = n->key << PAGE_SHIFT;
		uint64_t a = max(from, start), b = min(to, start + PAGE_SIZE);
		memset((char *)page_to_virt(c->page) + (a - start), 0, b - a);
	}
	spin_unlock(&cache_lock);
}

uint64_t pagecache_next(struct pagecache *pc, uint64_t from, bool present)
{
	struct treap_node *n;

	spin_lock(&cache_lock);
	n = treap_ceil(&pc->pages, from);
	if (present)
		from = n ? n->key : UINT64_MAX;
	else
		for (; n && n->key == from; n = treap_next(n))
			from++;
	spin_unlock(&cache_lock);
	return from;
}

uint32_t pagecache_truncate(struct pagecache *pc, uint64_t size)
{
	if (size & ~PAGE_MASK)
		pagecache_clear(pc, size, ALIGN_UP(size, PAGE_SIZE));
	return pagecache_drop(pc, page_count(size), UINT64_MAX);
}

static void mark(struct pagecache *pc, uint64_t index, bool dirty)
{
	struct cached *c;

	spin_lock(&cache_lock);
	c = find_locked(pc, index);
	if (c) {
		c->dirty = dirty;
		list_remove(&c->lru);
		if (!dirty && !pc->keep)
			list_push_back(&lru, &c->lru);
	}
	spin_unlock(&cache_lock);
}

void pagecache_set_dirty(struct pagecache *pc, uint64_t index)
{
	mark(pc, index, true);
}

void pagecache_set_clean(struct pagecache *pc, uint64_t index)
{
	mark(pc, index, false);
}

struct page *pagecache_next_dirty(
    struct pagecache *pc, uint64_t first, uint64_t last, uint64_t *index)
{
	struct page *p = NULL;
	struct treap_node *n;

	spin_lock(&cache_lock);
	n = treap_ceil(&pc->pages, first);
	for (; n && n->key <= last && !p; n = treap_next(n)) {
		struct cached *c = container_of(n, struct cached, node);
		if (!c->dirty)
			continue;
		p = c->page;
		page_ref(p);
		*index = n->key;
	}
	spin_unlock(&cache_lock);
	return p;
}

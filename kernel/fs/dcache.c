/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of names; see vfs.h.
 *
 * A hash table over (parent, name), and a list of unused dentries, oldest
 * first.  A child holds a reference on its parent, so unused ones are leaves.
 * dcache_lock covers everything; inodes are let go after it is dropped.
 */
#include "kernel/fs/vfs.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"

#define BUCKETS 512

own_line static struct spinlock dcache_lock = SPINLOCK_INIT;
static struct dentry *table[BUCKETS];          /* [dcache_lock] */
static struct list lru = LIST_INIT(lru);       /* [dcache_lock] */
static struct list pinned = LIST_INIT(pinned); /* [dcache_lock] by lru */
static unsigned nr_unused;                     /* [dcache_lock] length of lru */
static unsigned limit = 1024;                  /* [i] longest lru */

static uint32_t name_hash(const struct dentry *dir, const struct name *n)
{
	uint64_t h = (uintptr_t)dir >> 4;

	for (unsigned i = 0; i < n->len; i++)
		h = (h ^ (uint8_t)n->s[i]) * 0x100000001b3ull;
	return (uint32_t)(h ^ h >> 32);
}

static struct dentry **bucket(uint32_t hash)
{
	return &table[hash % BUCKETS];
}

static struct dentry *find_locked(
    struct dentry *dir, const struct name *n, uint32_t hash)
{
	struct dentry *d = *bucket(hash);

	while (d && (d->hash != hash || d->parent != dir || d->len != n->len ||
			memcmp(d->name, n->s, n->len)))
		d = d->hash_next;
	return d;
}

static void ref_locked(struct dentry *d)
{
	if (d->refs++ == 0 && !list_empty(&d->lru)) {
		list_remove(&d->lru);
		nr_unused--;
	}
}

static void hash_locked(struct dentry *d, uint32_t hash)
{
	d->hash = hash;
	d->hash_next = *bucket(hash);
	*bucket(hash) = d;
	d->hashed = true;
}

static void unhash_locked(struct dentry *d)
{
	struct dentry **p = bucket(d->hash);

	if (!d->hashed)
		return;
	while (*p != d)
		p = &(*p)->hash_next;
	*p = d->hash_next;
	d->hash_next = NULL;
	d->hashed = false;
}

/* Drop a reference; what dies is chained on *dead through hash_next. */
static void put_locked(struct dentry *d, struct dentry **dead)
{
	while (d) {
		struct dentry *parent = d->parent;
		assert(d->refs > 0);
		if (--d->refs)
			return;
		if (d->hashed) {
			list_push_back(&lru, &d->lru);
			nr_unused++;
			return;
		}
		d->hash_next = *dead;
		*dead = d;
		d = parent;
	}
}

/* An unused dentry goes for good. */
static void kill_locked(struct dentry *d, struct dentry **dead)
{
	if (!list_empty(&d->lru)) {
		list_remove(&d->lru);
		nr_unused--;
	}
	d->refs = 1;
	unhash_locked(d);
	put_locked(d, dead);
}

void dcache_count(unsigned *names, unsigned *unused)
{
	*names = 0;
	spin_lock(&dcache_lock);
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct dentry *d = table[i]; d; d = d->hash_next)
			++*names;
	*unused = nr_unused;
	spin_unlock(&dcache_lock);
}

static void trim_locked(struct dentry **dead)
{
	while (nr_unused > limit)
		kill_locked(list_first(&lru, struct dentry, lru), dead);
}

static void bury(struct dentry *dead)
{
	while (dead) {
		struct dentry *next = dead->hash_next;
		if (dead->inode)
			inode_put(dead->inode);
		if (dead->name != dead->own)
			kfree(dead->name);
		kfree(dead);
		dead = next;
	}
}

struct dentry *dentry_find(struct dentry *dir, const struct name *n)
{
	uint32_t hash = name_hash(dir, n);
	struct dentry *d;

	spin_lock(&dcache_lock);
	d = find_locked(dir, n, hash);
	if (d)
		ref_locked(d);
	spin_unlock(&dcache_lock);
	return d;
}

void dentry_ref(struct dentry *d)
{
	spin_lock(&dcache_lock);
	ref_locked(d);
	spin_unlock(&dcache_lock);
}

void dentry_put(struct dentry *d)
{
	struct dentry *dead = NULL;

	if (!d)
		return;
	spin_lock(&dcache_lock);
	put_locked(d, &dead);
	trim_locked(&dead);
	spin_unlock(&dcache_lock);
	bury(dead);
}

static struct dentry *dentry_alloc(
    const struct name *n, struct inode *i, struct fs *fs, uint64_t expiry)
{
	unsigned room = max(n->len, 23u);
	struct dentry *d = kzalloc(sizeof(*d) + room + 1);

	if (!d)
		return NULL;
	list_init(&d->lru);
	d->refs = 1;
	d->inode = i;
	d->fs = fs;
	d->expiry = expiry;
	d->room = (uint8_t)room;
	d->name = d->own;
	memcpy(d->name, n->s, n->len);
	d->len = (uint8_t)n->len;
	return d;
}

/* With `gen` only if the directory has not changed since it was that. */
static struct dentry *add(struct dentry *dir, const struct name *n,
    const struct entry *e, const uint32_t *gen)
{
	uint32_t hash = name_hash(dir, n);
	struct dentry *d, *old, *dead = NULL;

	d = dentry_alloc(n, e->inode, dir->fs, e->expiry);
	if (!d) {
		/* what is cached there may say that there is no such name */
		dentry_gone(NULL, dir, n);
		if (e->inode)
			inode_put(e->inode);
		return NULL;
	}
	spin_lock(&dcache_lock);
	d->parent = dir;
	ref_locked(dir);
	if (gen &&
	    __atomic_load_n(&dir->inode->dir_gen, __ATOMIC_ACQUIRE) != *gen) {
		d->expiry = 0; /* for the caller alone */
		goto out;
	}
	old = find_locked(dir, n, hash);
	if (old && (old->pinned || old->inode == e->inode)) {
		old->expiry = e->expiry;
		ref_locked(old);
		put_locked(d, &dead);
		d = old;
	} else {
		if (old && old->refs == 0)
			kill_locked(old, &dead);
		else if (old)
			unhash_locked(old);
		if (e->inode || e->expiry)
			hash_locked(d, hash);
	}
out:
	spin_unlock(&dcache_lock);
	bury(dead);
	return d;
}

struct dentry *dentry_add(
    struct dentry *dir, const struct name *n, const struct entry *e)
{
	return add(dir, n, e, NULL);
}

struct dentry *dentry_add_asked(struct dentry *dir, const struct name *n,
    const struct entry *e, uint32_t gen)
{
	return add(dir, n, e, &gen);
}

void dentry_prime(struct dentry *dir, const struct name *n,
    const struct entry *e, uint32_t gen)
{
	struct dentry *d = dentry_find(dir, n);

	if (d && (d->pinned || (d->inode && d->inode != e->inode))) {
		inode_put(e->inode); /* rather ask again than believe this */
		dentry_put(d);
		return;
	}
	dentry_put(d);
	dentry_put(add(dir, n, e, &gen));
}

struct dentry *dentry_pin(
    struct dentry *dir, const struct name *n, struct inode *i, struct fs *fs)
{
	struct dentry *d;

	if (dir) {
		d = dentry_find(dir, n);
		if (d && d->pinned) {
			if (i)
				inode_put(i);
			return d;
		}
		if (d)
			dentry_forget(d);
		dentry_put(d);
	}
	d = dentry_alloc(n, i, fs, EXPIRY_NEVER);
	if (!d)
		return NULL;
	d->pinned = true;
	spin_lock(&dcache_lock);
	d->refs++; /* one for ever, one for the caller */
	if (dir) {
		d->parent = dir;
		ref_locked(dir);
		hash_locked(d, name_hash(dir, n));
	}
	list_push_back(&pinned, &d->lru);
	spin_unlock(&dcache_lock);
	return d;
}

struct dentry *dentry_pinned(struct dentry *dir, unsigned k)
{
	struct dentry *d, *found = NULL;

	spin_lock(&dcache_lock);
	list_for_each (d, &pinned, lru) {
		if (d->parent == dir && !found && k-- == 0)
			found = d;
	}
	if (found)
		found->refs++;
	spin_unlock(&dcache_lock);
	return found;
}

void dentry_forget(struct dentry *d)
{
	spin_lock(&dcache_lock);
	unhash_locked(d);
	spin_unlock(&dcache_lock);
}

/* Take out whatever is cached under the name, but not `except`. */
static void forget_locked(struct dentry *dir, const struct name *n,
    const struct dentry *except, struct dentry **dead)
{
	struct dentry *d = find_locked(dir, n, name_hash(dir, n));

	if (!d || d == except || d->pinned)
		return;
	if (d->refs == 0)
		kill_locked(d, dead);
	else
		unhash_locked(d);
}

void dentry_gone(struct dentry *d, struct dentry *dir, const struct name *n)
{
	struct dentry *dead = NULL;

	spin_lock(&dcache_lock);
	if (d)
		unhash_locked(d);
	forget_locked(dir, n, NULL, &dead);
	spin_unlock(&dcache_lock);
	bury(dead);
}

static void rename_locked(
    struct dentry *d, struct dentry *dir, const struct name *n, char *name)
{
	unhash_locked(d);
	d->name = name;
	memcpy(d->name, n->s, n->len);
	d->name[n->len] = 0;
	d->len = (uint8_t)n->len;
	ref_locked(dir);
	d->parent = dir;
	hash_locked(d, name_hash(dir, n));
}

int dentry_move(struct dentry *d, struct dentry *dir, const struct name *n)
{
	char *name = n->len <= d->room ? d->own : kmalloc(n->len + 1);
	struct dentry *old_dir, *dead = NULL;
	struct name was;
	char *old_name;

	if (!name) {
		dentry_gone(d, dir, n);
		return -ENOMEM;
	}
	spin_lock(&dcache_lock);
	old_dir = d->parent;
	was = (struct name){d->name, d->len};
	forget_locked(old_dir, &was, d, &dead);
	forget_locked(dir, n, d, &dead);
	old_name = d->name != d->own ? d->name : NULL;
	rename_locked(d, dir, n, name);
	put_locked(old_dir, &dead);
	spin_unlock(&dcache_lock);
	kfree(old_name);
	bury(dead);
	return 0;
}

/* One step up, across mount points; NULL at the very top. */
static struct dentry *up_locked(struct dentry *d)
{
	while (!d->parent && d->fs->covers)
		d = d->fs->covers;
	return d->parent;
}

bool dentry_is_below(struct dentry *d, struct dentry *above)
{
	spin_lock(&dcache_lock);
	while (d && d != above)
		d = d->parent;
	spin_unlock(&dcache_lock);
	return d != NULL;
}

struct dentry *dentry_parent(struct dentry *d)
{
	struct dentry *p;

	spin_lock(&dcache_lock);
	p = up_locked(d);
	if (!p)
		p = d;
	ref_locked(p);
	spin_unlock(&dcache_lock);
	return p;
}

/* Put n bytes before *at; -ERANGE if they reach below buf. */
static int prepend(char *buf, char **at, const char *s, size_t n)
{
	if (n > (size_t)(*at - buf))
		return -ERANGE;
	*at -= n;
	memcpy(*at, s, n);
	return 0;
}

/* The names from d up to `root`; true in *reached if it was met. */
static int names_locked(
    struct dentry *d, struct dentry *root, char *buf, char **at, bool *reached)
{
	int err = 0;

	for (; !err && d != root; d = d->parent) {
		while (d != root && !d->parent && d->fs->covers)
			d = d->fs->covers;
		if (d == root || !d->parent)
			break;
		err = d->hashed ? prepend(buf, at, d->name, d->len) : -ENOENT;
		if (!err)
			err = prepend(buf, at, "/", 1);
	}
	*reached = d == root;
	return err;
}

int dentry_path(struct dentry *d, char *buf, size_t size)
{
	char *at = buf + size;
	bool reached;
	int err;

	*--at = 0;
	spin_lock(&dcache_lock);
	err = names_locked(d, path_root(), buf, &at, &reached);
	spin_unlock(&dcache_lock);
	if (!err && !*at)
		err = prepend(buf, &at, "/", 1);
	if (!err && !reached)
		err = prepend(buf, &at, "(unreachable)", 13);
	if (err)
		return err;
	memmove(buf, at, (size_t)(buf + size - at));
	return (int)(buf + size - at);
}

void dcache_set_limit(unsigned dentries)
{
	limit = dentries;
}

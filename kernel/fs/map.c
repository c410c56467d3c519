/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files mapped into memory.
 *
 * A mapping's object holds the open file and hands out the pages of the
 * file's cache, so all mappings and all reads see the same ones.  A shared
 * page that a mapping may write stays marked, and so in the cache, until the
 * object goes: each msync, fsync and close, and the end, write all marked ones
 * through the file's own write.  Pages that leave the cache while they are
 * mapped, because the file was cut or has changed on the host, are unmapped.
 *
 * Locks: maps_lock, then vm_lock; neither is held while a file is written.
 */
#include <linux/fcntl.h>
#include <linux/uio.h>
#include "kernel/fs/vfs.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/vm.h"

#define PAGE_TRIES 8

struct file_map {
	struct vm_object object;
	struct file *file;
	bool writes;      /* shared, and the file may be written */
	struct list node; /* [maps_lock] all of them */
};

static struct mutex maps_lock = MUTEX_INIT(maps_lock);
static struct list maps = LIST_INIT(maps);

static bool ref_unless_zero(uint32_t *refs)
{
	uint32_t n = __atomic_load_n(refs, __ATOMIC_RELAXED);

	while (n && !__atomic_compare_exchange_n(refs, &n, n + 1, false,
			__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		;
	return n;
}

static struct file *map_file(struct vm_object *o)
{
	return container_of(o, struct file_map, object)->file;
}

static const struct vm_object_ops map_ops;

struct file *vm_object_file(struct vm_object *o)
{
	return o->ops == &map_ops ? map_file(o) : NULL;
}

static int map_page_get(struct vm_object *o, uint64_t index, struct page **p)
{
	bool writes = container_of(o, struct file_map, object)->writes;
	struct file *f = map_file(o);
	struct page *cached;
	size_t bytes;
	int n;

	for (int tries = 0; tries < PAGE_TRIES; tries++) {
		n = f->inode->ops->pages(f, index, 1, p, &bytes);
		if (n == 0)
			return -ERANGE;
		if (n < 0 || !writes)
			return min(n, 0);
		cached = pagecache_get(&f->inode->cache, index);
		if (cached)
			page_unref(cached);
		if (cached == *p)
			return 0;
		page_unref(*p); /* what is written must be found again */
	}
	return -EIO;
}

static void map_page_dirty(struct vm_object *o, uint64_t index)
{
	struct inode *i = map_file(o)->inode;

	pagecache_set_dirty(&i->cache, index);
	i->ops->mapped(i, true);
}

static int write_back(struct file *f, uint64_t index, struct page *p)
{
	uint64_t pos = index << PAGE_SHIFT, size = f->inode->attr.size;
	struct iovec iov = {page_to_virt(p), PAGE_SIZE};
	struct iov_iter it;
	ssize_t n;

	if (pos >= size)
		return 0;
	iov.iov_len = min(PAGE_SIZE, size - pos);
	iter_init(&it, &iov, 1, true);
	n = f->ops->write(f, &it, &pos);
	return n < 0 ? (int)n : 0;
}

static int map_sync(struct vm_object *o, uint64_t index, uint64_t n)
{
	struct file *f = map_file(o);
	struct pagecache *pc = &f->inode->cache;
	uint64_t last = index + n - 1, at;
	struct page *p;
	int err = 0, e;

	if (pc->keep)
		return 0; /* the cache is the file */
	while (n && index <= last &&
	       (p = pagecache_next_dirty(pc, index, last, &at))) {
		e = write_back(f, at, p);
		err = err ? err : e;
		page_unref(p);
		index = at + 1;
	}
	return err;
}

/* Nobody can write to pc's pages through a mapping any more. */
static void last_writer_gone(struct pagecache *pc)
{
	uint64_t at = 0;
	struct page *p;

	while ((p = pagecache_next_dirty(pc, at, UINT64_MAX, &at))) {
		pagecache_set_clean(pc, at);
		page_unref(p);
	}
}

static void map_release(struct vm_object *o)
{
	struct file_map *m = container_of(o, struct file_map, object);
	struct pagecache *pc = &m->file->inode->cache;

	if (m->writes)
		(void)map_sync(o, 0, UINT64_MAX);
	mutex_lock(&maps_lock);
	/* Under the lock, so that no new writer's marks are taken for old. */
	if (m->writes && !__atomic_sub_fetch(&pc->writers, 1, __ATOMIC_ACQ_REL))
		last_writer_gone(pc);
	list_remove(&m->node);
	mutex_unlock(&maps_lock);
	file_put(m->file);
	kfree(m);
}

static const struct vm_object_ops map_ops = {
    .page_get = map_page_get,
    .page_dirty = map_page_dirty,
    .sync = map_sync,
    .release = map_release,
};

static struct file_map *map_new(struct file *f, bool writes)
{
	struct file_map *m = kzalloc(sizeof(*m));

	if (!m)
		return NULL;
	m->file = f;
	m->writes = writes;
	m->object = (struct vm_object){.ops = &map_ops, .refs = 1};
	mutex_lock(&maps_lock);
	if (writes)
		__atomic_add_fetch(
		    &f->inode->cache.writers, 1, __ATOMIC_ACQ_REL);
	list_push_back(&maps, &m->node);
	mutex_unlock(&maps_lock);
	return m;
}

int inode_file_mmap(struct file *f, struct vm_region *r)
{
	unsigned access = f->flags & O_ACCMODE;
	bool writes = access == O_RDWR && r->flags & VM_SHARED;
	struct file_map *m;
	int err;

	if (!INODE_IS_REG(f->inode))
		return -ENODEV;
	if (access == O_WRONLY ||
	    (access == O_RDONLY && r->flags & VM_SHARED && r->flags & VM_WRITE))
		return -EACCES;
	if (access == O_RDWR)
		r->flags |= VM_MAY_WRITE;
	if (writes && f->flags & O_APPEND) { /* pages have their places */
		err = f->inode->ops->open(
		    f->inode, f->flags & ~(unsigned)O_APPEND, &f);
		if (err)
			return err;
	} else {
		file_ref(f);
	}
	m = map_new(f, writes);
	if (!m) {
		file_put(f);
		return -ENOMEM;
	}
	r->object = &m->object;
	f->inode->ops->mapped(f->inode, false);
	return 0;
}

/* The next mapping that writes to i (NULL: to any file), with a reference;
 * that of `prev`, the last one or NULL, is given back. */
static struct file_map *next_writer(struct file_map *prev, struct inode *i)
{
	struct list *l;

	mutex_lock(&maps_lock);
	for (l = prev ? prev->node.next : maps.next; l != &maps; l = l->next) {
		struct file_map *m = list_entry(l, struct file_map, node);
		if (m->writes && (!i || m->file->inode == i) &&
		    ref_unless_zero(&m->object.refs))
			break;
	}
	mutex_unlock(&maps_lock);
	if (prev)
		vm_object_put(&prev->object);
	return l == &maps ? NULL : list_entry(l, struct file_map, node);
}

int inode_sync_maps(struct inode *i)
{
	struct file_map *m = NULL;
	int err = 0, e;

	if (i && !i->cache.writers)
		return 0;
	while ((m = next_writer(m, i))) {
		e = map_sync(&m->object, 0, UINT64_MAX);
		err = err ? err : e;
	}
	return err;
}

void vfs_sync_all(void)
{
	(void)inode_sync_maps(NULL);
}

void inode_unmap(struct inode *i, uint64_t first, uint64_t last, bool copies)
{
	struct file_map *m;

	MUTEX_GUARD(&maps_lock);
	list_for_each (m, &maps, node)
		if (m->file->inode == i)
			vm_object_zap(&m->object, first, last, copies);
}

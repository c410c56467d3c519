/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FUSE inodes and their attributes.
 *
 * An inode is found by its node id, so that two names of a file share one
 * cache.  Attributes are believed until their timeout; a change made here
 * (attr_gen) outdates answers that were on their way.  When fresh attributes
 * show another size or mtime than the cached pages were read under, the pages
 * go (AUTO_INVAL_DATA).
 */
#include "kernel/fs/fuse.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/clock.h"

static_assert(sizeof(struct fuse_attr) == 88, "protocol");
static_assert(sizeof(struct fuse_entry_out) == 128, "protocol");
static_assert(sizeof(struct fuse_attr_out) == 104, "protocol");
static_assert(sizeof(struct fuse_setattr_in) == 88, "protocol");

bool fuse_attr_ok(const struct fuse_attr *a)
{
	switch (a->mode & 0170000) {
	case 0010000:
	case 0020000:
	case 0040000:
	case 0060000:
	case 0100000:
	case 0120000:
	case 0140000:
		break;
	default:
		return false;
	}
	return a->size <= INT64_MAX && a->atimensec < NSEC_PER_SEC &&
	       a->mtimensec < NSEC_PER_SEC && a->ctimensec < NSEC_PER_SEC;
}

uint64_t fuse_expiry(uint64_t sec, uint32_t nsec)
{
	if (!sec && !nsec)
		return 0;
	if (sec > INT64_MAX / NSEC_PER_SEC / 2 || nsec >= NSEC_PER_SEC)
		return EXPIRY_NEVER;
	return clock_monotonic() + sec * NSEC_PER_SEC + nsec;
}

static struct attr attr_of(const struct fuse_attr *a)
{
	return (struct attr){
	    .ino = a->ino,
	    .size = a->size,
	    .blocks = a->blocks,
	    .rdev = a->rdev,
	    .mode = a->mode,
	    .nlink = a->nlink,
	    .uid = a->uid,
	    .gid = a->gid,
	    .blksize = a->blksize,
	    .atime = {(int64_t)a->atime, a->atimensec},
	    .mtime = {(int64_t)a->mtime, a->mtimensec},
	    .ctime = {(int64_t)a->ctime, a->ctimensec},
	};
}

static uint64_t version = 1; /* [a] */

uint64_t fuse_version(void)
{
	return __atomic_load_n(&version, __ATOMIC_ACQUIRE);
}

void fuse_attr_stale(struct inode *i)
{
	uint64_t v = __atomic_add_fetch(&version, 1, __ATOMIC_ACQ_REL);

	spin_lock(&i->lock);
	i->attr_gen = v;
	i->attr_expiry = 0;
	spin_unlock(&i->lock);
}

bool fuse_attr_valid(struct inode *i)
{
	return clock_monotonic() < i->attr_expiry;
}

static bool stamp_differs(struct stamp a, struct stamp b)
{
	return a.sec != b.sec || a.nsec != b.nsec;
}

void fuse_take_attr(
    struct inode *i, const struct fuse_attr *a, uint64_t expiry, uint64_t asked)
{
	struct fuse_inode *fi = fuse_inode(i);
	bool drop = false;

	spin_lock(&i->lock);
	if (i->attr_gen > asked) {
		spin_unlock(&i->lock);
		return;
	}
	i->attr = attr_of(a);
	i->attr_expiry = expiry;
	if (stamp_differs(i->attr.mtime, fi->cached_mtime) ||
	    i->attr.size != fi->cached_size) {
		drop = i->cache.nr > 0;
		fi->cached_mtime = i->attr.mtime;
		fi->cached_size = i->attr.size;
	}
	spin_unlock(&i->lock);
	if (drop) {
		pagecache_invalidate(&i->cache, false);
		inode_unmap(i, 0, UINT64_MAX, false);
	}
}

void fuse_forget_pages(struct inode *i, uint64_t first, uint64_t last)
{
	pagecache_drop(&i->cache, first, last);
	inode_unmap(i, first, last, false);
}

static struct fuse_inode *find_locked(
    struct fuse_conn *c, const struct fuse_entry_out *e)
{
	struct treap_node *n = treap_ceil(&c->inodes, e->nodeid);

	for (; n && n->key == e->nodeid; n = treap_next(n)) {
		struct fuse_inode *fi =
		    container_of(n, struct fuse_inode, node);
		uint32_t refs = fi->i.refs;
		if (fi->generation != e->generation ||
		    (fi->i.attr.mode ^ e->attr.mode) & 0170000)
			continue;
		while (refs &&
		       !__atomic_compare_exchange_n(&fi->i.refs, &refs,
			   refs + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			;
		if (refs)
			return fi;
	}
	return NULL;
}

static struct fuse_inode *inode_new(
    struct fuse_conn *c, const struct fuse_entry_out *e)
{
	struct fuse_inode *fi = kzalloc(sizeof(*fi));

	if (!fi)
		return NULL;
	inode_init(&fi->i, &fuse_ops, c->fs);
	list_init(&fi->forget);
	fi->generation = e->generation;
	fi->node.key = e->nodeid;
	fi->i.attr = attr_of(&e->attr);
	fi->cached_mtime = fi->i.attr.mtime;
	fi->cached_size = fi->i.attr.size;
	return fi;
}

struct inode *fuse_iget(struct fuse_conn *c, const struct fuse_entry_out *e)
{
	struct fuse_inode *fi, *fresh = NULL;

	for (;;) {
		spin_lock(&c->lock);
		fi = find_locked(c, e);
		if (!fi && fresh) {
			fi = fresh;
			fresh = NULL;
			treap_insert(&c->inodes, &fi->node, e->nodeid);
		}
		if (fi)
			fi->nlookup++;
		spin_unlock(&c->lock);
		if (fi)
			break;
		fresh = inode_new(c, e);
		if (!fresh)
			return NULL;
	}
	kfree(fresh);
	return &fi->i;
}

int fuse_entry(struct fuse_conn *c, const struct fuse_entry_out *out,
    uint64_t asked, struct entry *e)
{
	struct inode *i;

	e->expiry = fuse_expiry(out->entry_valid, out->entry_valid_nsec);
	e->inode = NULL;
	if (!out->nodeid)
		return 0;
	if (out->nodeid == FUSE_ROOT_ID || !fuse_attr_ok(&out->attr))
		return -EIO;
	i = fuse_iget(c, out);
	if (!i)
		return -ENOMEM; /* the server keeps one node too many */
	fuse_take_attr(i, &out->attr,
	    fuse_expiry(out->attr_valid, out->attr_valid_nsec), asked);
	e->inode = i;
	return 0;
}

/* Called with the file whose handle the server may use, or NULL. */
static int getattr_call(struct inode *i, struct file *f)
{
	struct fuse_handle *h = f && !INODE_IS_DIR(i) ? fuse_handle(f) : NULL;
	struct fuse_getattr_in in = {
	    .getattr_flags = h ? FUSE_GETATTR_FH : 0, .fh = h ? h->fh : 0};
	struct fuse_attr_out out;
	struct fuse_call call = {
	    .opcode = FUSE_GETATTR,
	    .nodeid = fuse_nodeid(i),
	    .in = {{&in, sizeof(in)}},
	    .out = &out,
	    .out_size = sizeof(out),
	};
	uint64_t asked = fuse_version();
	ssize_t n = fuse_call(fuse_conn(i), &call);

	if (n < 0)
		return (int)n;
	if (!fuse_attr_ok(&out.attr) ||
	    (out.attr.mode ^ i->attr.mode) & 0170000)
		return -EIO;
	fuse_take_attr(i, &out.attr,
	    fuse_expiry(out.attr_valid, out.attr_valid_nsec), asked);
	return 0;
}

int fuse_getattr(struct inode *i, struct file *f)
{
	return fuse_attr_valid(i) ? 0 : getattr_call(i, f);
}

static void fill_setattr(
    struct fuse_setattr_in *in, struct file *f, const struct setattr *s)
{
	struct fuse_handle *h = f ? fuse_handle(f) : NULL;

	memset(in, 0, sizeof(*in));
	in->valid = s->valid;
	in->mode = s->mode;
	in->uid = s->uid;
	in->gid = s->gid;
	in->size = s->size;
	in->atime = (uint64_t)s->atime.sec;
	in->atimensec = s->atime.nsec;
	in->mtime = (uint64_t)s->mtime.sec;
	in->mtimensec = s->mtime.nsec;
	if (h && !h->dir) {
		in->valid |= FATTR_FH;
		in->fh = h->fh;
	}
}

/* The last page that stays keeps what is written to it through mappings. */
void fuse_truncated(struct inode *i, uint64_t size)
{
	spin_lock(&i->lock);
	i->attr.size = size;
	spin_unlock(&i->lock);
	pagecache_truncate(&i->cache, size);
	inode_unmap(i, page_count(size), UINT64_MAX, true);
}

int fuse_setattr(struct inode *i, struct file *f, const struct setattr *s)
{
	struct fuse_setattr_in in;
	struct fuse_attr_out out;
	uint64_t asked;
	struct fuse_call call = {
	    .opcode = FUSE_SETATTR,
	    .nodeid = fuse_nodeid(i),
	    .in = {{&in, sizeof(in)}},
	    .out = &out,
	    .out_size = sizeof(out),
	};
	ssize_t n;

	fill_setattr(&in, f, s);
	fuse_attr_stale(i);
	asked = fuse_version();
	n = fuse_call(fuse_conn(i), &call);
	if (n < 0)
		return (int)n;
	if (!fuse_attr_ok(&out.attr) ||
	    (out.attr.mode ^ i->attr.mode) & 0170000)
		return -EIO;
	if (s->valid & SET_SIZE)
		fuse_truncated(i, s->size);
	spin_lock(&i->lock);
	if (s->valid & (SET_SIZE | SET_MTIME)) { /* pages are still good */
		fuse_inode(i)->cached_size = out.attr.size;
		fuse_inode(i)->cached_mtime = attr_of(&out.attr).mtime;
	}
	spin_unlock(&i->lock);
	fuse_take_attr(i, &out.attr,
	    fuse_expiry(out.attr_valid, out.attr_valid_nsec), asked);
	return 0;
}

void fuse_inode_release(struct inode *i)
{
	struct fuse_inode *fi = fuse_inode(i);
	struct fuse_conn *c = fuse_conn(i);
	bool many;

	pagecache_drop(&i->cache, 0, UINT64_MAX);
	fuse_handles_drop(c, fi);
	spin_lock(&c->lock);
	treap_remove(&c->inodes, &fi->node);
	list_push_back(&c->forgets, &fi->forget);
	many = ++c->nr_forgets >= FUSE_FORGETS_MAX;
	spin_unlock(&c->lock);
	if (many)
		fuse_forget_all(c);
	else
		fuse_work(c);
}

/* Take up to max inodes to be forgotten off the list. */
static unsigned take_forgets(
    struct fuse_conn *c, struct fuse_forget_one *one, unsigned max)
{
	struct fuse_inode *fi;
	unsigned n = 0;

	while (n < max) {
		fi = NULL;
		spin_lock(&c->lock);
		if (!list_empty(&c->forgets)) {
			fi = list_first(&c->forgets, struct fuse_inode, forget);
			list_remove(&fi->forget);
			c->nr_forgets--;
		}
		spin_unlock(&c->lock);
		if (!fi)
			break;
		one[n++] = (struct fuse_forget_one){fi->node.key, fi->nlookup};
		kfree(fi);
	}
	return n;
}

void fuse_forget_all(struct fuse_conn *c)
{
	struct fuse_forget_one one[32];
	unsigned n;

	while ((n = take_forgets(c, one, ARRAY_LEN(one)))) {
		struct fuse_batch_forget_in in = {.count = n};
		struct fuse_call call = {
		    .opcode = FUSE_BATCH_FORGET,
		    .in = {{&in, sizeof(in)}, {one, n * sizeof(*one)}},
		};
		if (n == 1) {
			struct fuse_forget_in f = {one[0].nlookup};
			call.opcode = FUSE_FORGET;
			call.nodeid = one[0].nodeid;
			call.in[0] = (struct fuse_arg){&f, sizeof(f)};
			call.in[1].n = 0;
			(void)fuse_send(c, &call);
		} else {
			(void)fuse_send(c, &call);
		}
	}
}

const struct inode_ops fuse_ops = {
    .lookup = fuse_lookup,
    .create = fuse_create,
    .tmpfile = inode_no_tmpfile,
    .make = fuse_make,
    .link = fuse_link,
    .remove = fuse_remove,
    .rename = fuse_rename,
    .readlink = fuse_readlink,
    .open = fuse_open,
    .getattr = fuse_getattr,
    .setattr = fuse_setattr,
    .access = fuse_access,
    .readdir = fuse_readdir,
    .pages = fuse_pages,
    .fallocate = fuse_fallocate,
    .copy_range = fuse_copy_range,
    .mapped = inode_no_mapped,
    .xattr = fuse_xattr,
    .lock = fuse_lock,
    .lock_test = fuse_lock_test,
    .unlock_all = fuse_unlock_all,
    .release = fuse_inode_release,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Path resolution; see path.h. */
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include "kernel/fs/path.h"
#include "kernel/fs/permission.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/clock.h"

own_line static struct spinlock cwd_lock = SPINLOCK_INIT;
static struct dentry *cwd;              /* [cwd_lock] NULL: the root */
static read_mostly struct dentry *root; /* [a] NULL: vfs_root */

/* A root that was left stays referenced: walks may be under way in it. */
void path_set_root(struct dentry *d)
{
	__atomic_store_n(&root, d, __ATOMIC_RELEASE);
}

struct dentry *path_root(void)
{
	struct dentry *d = __atomic_load_n(&root, __ATOMIC_ACQUIRE);

	return d ? d : vfs_root;
}

struct dentry *path_cwd(void)
{
	struct dentry *d;

	spin_lock(&cwd_lock);
	d = cwd ? cwd : path_root();
	dentry_ref(d);
	spin_unlock(&cwd_lock);
	return d;
}

void path_set_cwd(struct dentry *d)
{
	struct dentry *old;

	spin_lock(&cwd_lock);
	old = cwd;
	cwd = d;
	spin_unlock(&cwd_lock);
	dentry_put(old);
}

int vfs_chdir(const char *path)
{
	struct dentry *d;
	int err = path_find(AT_FDCWD, path, 0, &d);

	if (err)
		return err;
	err = INODE_IS_DIR(d->inode) ? inode_may(d->inode, MAY_EXEC) : -ENOTDIR;
	if (err)
		dentry_put(d);
	else
		path_set_cwd(d);
	return err;
}

int path_import(struct path_buf *b, const char *user)
{
	ssize_t n = copy_in_string(b->fast, user, sizeof(b->fast));

	b->heap = NULL;
	b->s = b->fast;
	if (n != -ENAMETOOLONG)
		return n < 0 ? (int)n : 0;
	b->s = b->heap = kmalloc(PATH_MAX);
	if (!b->heap)
		return -ENOMEM;
	n = copy_in_string(b->heap, user, PATH_MAX);
	if (n >= 0)
		return 0;
	path_free(b);
	return (int)n;
}

void path_free(struct path_buf *b)
{
	kfree(b->heap);
	b->heap = NULL;
}

int path_child(
    struct dentry *dir, const struct name *n, uint64_t now, struct dentry **out)
{
	struct inode *i = dir->inode;
	struct dentry *d = dentry_find(dir, n);
	struct entry e = {NULL, 0};
	uint32_t gen;
	int err;

	if (d && (d->pinned || now < d->expiry)) {
		*out = d;
		return 0;
	}
	gen = __atomic_load_n(&i->dir_gen, __ATOMIC_ACQUIRE);
	err = i->ops->lookup(i, n, &e);
	if (err) {
		dentry_put(d);
		return err;
	}
	*out = dentry_add_asked(dir, n, &e, gen);
	dentry_put(d);
	return *out ? 0 : -ENOMEM;
}

/* From a mount point to what is mounted there. */
static struct dentry *cross(struct dentry *d)
{
	while (d->mounted) {
		struct dentry *top = d->mounted->root;
		dentry_ref(top);
		dentry_put(d);
		d = top;
	}
	return d;
}

static int start_at(int dirfd, struct dentry **d)
{
	struct file *f;

	if (dirfd == AT_FDCWD) {
		*d = path_cwd();
		return 0;
	}
	f = fd_get(dirfd);
	if (!f)
		return -EBADF;
	*d = f->dentry;
	if (*d)
		dentry_ref(*d);
	file_put(f);
	return *d ? 0 : -ENOTDIR;
}

static int to_root(struct walk *w)
{
	if (w->resolve & RESOLVE_BENEATH)
		return -EXDEV;
	if (w->resolve & RESOLVE_NO_XDEV && w->dir && w->dir->fs != w->root->fs)
		return -EXDEV;
	dentry_put(w->dir);
	dentry_ref(w->root);
	w->dir = w->root;
	return 0;
}

int walk_start(struct walk *w, int dirfd, const char *path)
{
	memset(w, 0, sizeof(*w));
	w->rest = path;
	w->root = path_root();
	w->now = clock_monotonic();
	if (*path == '/')
		return to_root(w);
	if (!*path)
		return -ENOENT;
	return start_at(dirfd, &w->dir);
}

int walk_start_within(
    struct walk *w, int dirfd, const char *path, unsigned resolve)
{
	bool within = resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT);
	int err;

	if (!within) {
		err = walk_start(w, dirfd, path);
		w->resolve = resolve;
		return err;
	}
	memset(w, 0, sizeof(*w));
	if (!*path)
		return -ENOENT;
	err = start_at(dirfd, &w->dir);
	if (err)
		return err;
	w->rest = path;
	w->now = clock_monotonic();
	w->resolve = resolve;
	w->root = w->dir;
	w->own_root = true;
	dentry_ref(w->root);
	return *path == '/' ? to_root(w) : 0;
}

void walk_end(struct walk *w)
{
	dentry_put(w->dir);
	if (w->own_root)
		dentry_put(w->root);
	kfree(w->buf);
	w->dir = NULL;
	w->buf = NULL;
}

/* Take the next component off the path. */
static void next_name(struct walk *w)
{
	const char *s = w->rest;
	unsigned n = 0;

	while (*s == '/')
		s++;
	while (s[n] && s[n] != '/')
		n++;
	w->last = (struct name){s, n};
	s += n;
	w->slash = *s == '/';
	while (*s == '/')
		s++;
	w->rest = s;
	w->kind = LAST_NAME;
	if (n == 0 || (n == 1 && w->last.s[0] == '.'))
		w->kind = LAST_DOT;
	else if (n == 2 && w->last.s[0] == '.' && w->last.s[1] == '.')
		w->kind = LAST_DOTDOT;
}

static void step_to(struct walk *w, struct dentry *d)
{
	dentry_put(w->dir);
	w->dir = d;
}

int walk_last(struct walk *w, struct dentry **d)
{
	int err;

	if (w->kind != LAST_NAME) {
		*d = w->dir;
		dentry_ref(*d);
		return 0;
	}
	if (w->last.len > NAME_MAX)
		return -ENAMETOOLONG;
	err = path_child(w->dir, &w->last, w->now, d);
	if (err)
		return err;
	if ((*d)->mounted && w->resolve & RESOLVE_NO_XDEV) {
		dentry_put(*d);
		*d = NULL;
		return -EXDEV;
	}
	*d = cross(*d);
	return 0;
}

char *path_readlink(struct inode *i, int *err)
{
	char *buf = kmalloc(PATH_MAX), *s;
	int n;

	if (!buf) {
		*err = -ENOMEM;
		return NULL;
	}
	n = i->ops->readlink(i, buf, PATH_MAX - 1);
	if (n == 0)
		n = -ENOENT;
	*err = min(n, 0);
	s = n > 0 ? kmalloc((size_t)n + 1) : NULL;
	if (s) {
		memcpy(s, buf, (size_t)n);
		s[n] = 0;
	} else if (n > 0) {
		*err = -ENOMEM;
	}
	kfree(buf);
	return s;
}

/* Put the target of link d before the rest of the path. */
static int expand(struct walk *w, struct dentry *d)
{
	char *target, *joined;
	size_t tlen, rlen;
	int err;

	if (++w->links > LINKS_MAX || w->resolve & RESOLVE_NO_SYMLINKS)
		return -ELOOP;
	if (w->resolve & RESOLVE_NO_MAGICLINKS && procfs_fd(d->inode) >= 0)
		return -ELOOP;
	target = path_readlink(d->inode, &err);
	if (!target)
		return err;
	tlen = strlen(target);
	rlen = strlen(w->rest);
	joined = kmalloc(tlen + rlen + 2); /* bounded by LINKS_MAX */
	if (!joined) {
		kfree(target);
		return -ENOMEM;
	}
	memcpy(joined, target, tlen);
	if (w->slash)
		joined[tlen++] = '/';
	memcpy(joined + tlen, w->rest, rlen + 1);
	kfree(target);
	kfree(w->buf);
	w->rest = w->buf = joined;
	return *joined == '/' ? to_root(w) : 0;
}

/* "..", which leads nowhere from the root. */
static int step_up(struct walk *w)
{
	struct dentry *up;

	if (w->dir == w->root)
		return w->resolve & RESOLVE_BENEATH ? -EXDEV : 0;
	up = dentry_parent(w->dir);
	if (w->resolve & RESOLVE_NO_XDEV && up->fs != w->dir->fs) {
		dentry_put(up);
		return -EXDEV;
	}
	step_to(w, up);
	return 0;
}

/* Enter the directory that the component just taken names. */
static int step(struct walk *w)
{
	struct dentry *d;
	int err;

	if (w->kind != LAST_NAME)
		return 0;
	err = walk_last(w, &d);
	if (err)
		return err;
	if (!d->inode) {
		err = -ENOENT;
	} else if (INODE_IS_LINK(d->inode)) {
		err = expand(w, d);
	} else if (!INODE_IS_DIR(d->inode)) {
		err = -ENOTDIR;
	} else {
		step_to(w, d);
		return 0;
	}
	dentry_put(d);
	return err;
}

int walk_parent(struct walk *w)
{
	int err;

	for (;;) {
		if (!INODE_IS_DIR(w->dir->inode))
			return -ENOTDIR;
		err = inode_may(w->dir->inode, MAY_EXEC);
		if (err)
			return err;
		next_name(w);
		if (w->kind == LAST_DOTDOT)
			err = step_up(w);
		if (err || !*w->rest)
			return err;
		err = step(w);
		if (err)
			return err;
	}
}

int walk_follow(struct walk *w, struct dentry *d)
{
	int err = expand(w, d);

	return err ? err : walk_parent(w);
}

/* A link in /proc/self/fd leads to its file, whatever its text says now;
 * -ENOENT if d is another link or that file has no place. */
static int fd_link_target(struct walk *w, struct dentry *d, struct dentry **out)
{
	int fd = procfs_fd(d->inode);
	struct file *f = fd < 0 ? NULL : fd_get(fd);

	if (!f)
		return -ENOENT;
	*out = f->dentry;
	if (*out)
		dentry_ref(*out);
	file_put(f);
	if (*out && w->resolve & (RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS |
				     RESOLVE_BENEATH | RESOLVE_IN_ROOT)) {
		dentry_put(*out);
		return w->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)
			   ? -EXDEV
			   : -ELOOP;
	}
	return *out ? 0 : -ENOENT;
}

static bool follows(struct walk *w, unsigned flags, struct inode *i)
{
	if (!INODE_IS_LINK(i))
		return false;
	return w->slash || !(flags & PATH_NOFOLLOW ||
			       (flags & PATH_FD_LINK && procfs_fd(i) >= 0));
}

static int find(struct walk *w, unsigned flags, struct dentry **out)
{
	struct dentry *d;
	int err = walk_parent(w);

	while (!err) {
		err = walk_last(w, &d);
		if (err)
			break;
		if (!d->inode)
			err = -ENOENT;
		else if (follows(w, flags, d->inode)) {
			err = fd_link_target(w, d, out);
			if (!err) {
				dentry_put(d);
				return 0;
			}
			if (err == -ENOENT)
				err = walk_follow(w, d);
		} else if (w->slash && !INODE_IS_DIR(d->inode))
			err = -ENOTDIR;
		else {
			*out = d;
			return 0;
		}
		dentry_put(d);
	}
	return err;
}

int path_find(int dirfd, const char *path, unsigned flags, struct dentry **d)
{
	return path_find_within(dirfd, path, flags, 0, d);
}

int path_find_within(int dirfd, const char *path, unsigned flags,
    unsigned resolve, struct dentry **d)
{
	struct walk w;
	int err;

	if (!*path && flags & PATH_EMPTY_OK)
		return start_at(dirfd, d);
	err = walk_start_within(&w, dirfd, path, resolve);
	if (!err)
		err = find(&w, flags, d);
	walk_end(&w);
	return err;
}

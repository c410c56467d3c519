/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of files: making, linking, removing, renaming, reading links. */
#include <linux/fcntl.h>
#include <linux/fs.h>
#include "kernel/fs/inotify.h"
#include "kernel/fs/path.h"
#include "kernel/fs/permission.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/uaccess.h"
#include "posix/calls.h"
#include "posix/fs.h"

#define TYPE_MASK 0170000u
#define TYPE_FIFO 0010000u
#define TYPE_CHAR 0020000u
#define TYPE_DIR  0040000u
#define TYPE_BLK  0060000u
#define TYPE_REG  0100000u
#define TYPE_LINK 0120000u
#define TYPE_SOCK 0140000u

/* The last component of a program's path, in its directory. */
struct target {
	struct path_buf path;
	struct walk w;
	struct dentry *d; /* perhaps negative */
	bool locked;      /* the directory's change_lock */
};

static void target_end(struct target *t)
{
	if (t->locked)
		mutex_unlock(&t->w.dir->inode->change_lock);
	dentry_put(t->d);
	walk_end(&t->w);
	path_free(&t->path);
}

/* From the path that has been brought in to the directory of its last. */
static int target_parent(struct target *t, int dirfd)
{
	int err = walk_start(&t->w, dirfd, t->path.s);

	t->d = NULL;
	t->locked = false;
	if (!err)
		err = walk_parent(&t->w);
	if (err)
		target_end(t);
	return err;
}

static int target_walk(struct target *t, int dirfd)
{
	int err = target_parent(t, dirfd);

	if (err)
		return err;
	mutex_lock(&t->w.dir->inode->change_lock);
	t->locked = true;
	err = walk_last(&t->w, &t->d);
	if (err)
		target_end(t);
	return err;
}

static int target_start(struct target *t, int dirfd, const char *user)
{
	int err = path_import(&t->path, user);

	return err ? err : target_walk(t, dirfd);
}

static struct inode *target_dir(struct target *t)
{
	return t->w.dir->inode;
}

/* Something is mounted on the name. */
static bool target_busy(const struct target *t)
{
	return t->w.kind == LAST_NAME &&
	       (t->d->parent != t->w.dir || t->d->pinned);
}

static int check_free(struct target *t, bool dir)
{
	if (t->w.kind != LAST_NAME || t->d->inode)
		return -EEXIST;
	if (t->w.slash && !dir)
		return -ENOENT;
	return t->w.dir->fs->rdonly
		   ? -EROFS
		   : inode_may(target_dir(t), MAY_WRITE | MAY_EXEC);
}

static uint32_t dir_bit(const struct inode *i)
{
	return INODE_IS_DIR(i) ? IN_ISDIR : 0;
}

static int entered(struct target *t, const struct entry *e)
{
	struct dentry *d = dentry_add(t->w.dir, &t->w.last, e);

	if (d && d->inode)
		fs_notify_name(target_dir(t), &t->w.last,
		    IN_CREATE | dir_bit(d->inode), 0);
	dentry_put(d);
	return 0; /* the name exists, cached or not */
}

int fs_make_socket(const char *path, struct inode **i)
{
	const struct make m = {.mode = TYPE_SOCK | (0777 & ~fs_umask())};
	struct target t = {.path = {.s = (char *)(uintptr_t)path}};
	struct entry e = {NULL, 0};
	int err = target_walk(&t, AT_FDCWD);

	if (err)
		return err;
	err = check_free(&t, false);
	if (!err)
		err = target_dir(&t)->ops->make(
		    target_dir(&t), &t.w.last, &m, &e);
	if (!err) {
		*i = e.inode;
		inode_ref(*i);
		err = entered(&t, &e);
	}
	target_end(&t);
	return err;
}

static long make_at(int dirfd, const char *user, const struct make *wanted)
{
	struct make m = *wanted;
	struct target t;
	struct entry e;
	int err = target_start(&t, dirfd, user);

	if (err)
		return err;
	err = check_free(&t, (m.mode & TYPE_MASK) == TYPE_DIR);
	m.mode = inode_new_mode(target_dir(&t), m.mode);
	if (!err)
		err = target_dir(&t)->ops->make(
		    target_dir(&t), &t.w.last, &m, &e);
	if (!err)
		err = entered(&t, &e);
	target_end(&t);
	return err;
}

long kcall_mkdirat(int dirfd, const char *path, unsigned mode)
{
	const struct make m = {.mode = TYPE_DIR | (mode & 01777 & ~fs_umask())};

	return make_at(dirfd, path, &m);
}

long kcall_mkdir(const char *path, unsigned mode)
{
	return kcall_mkdirat(AT_FDCWD, path, mode);
}

long kcall_mknodat(int dirfd, const char *path, unsigned mode, unsigned dev)
{
	struct make m = {
	    .mode = (mode & TYPE_MASK) | (mode & 07777 & ~fs_umask())};

	switch (mode & TYPE_MASK) {
	case 0:
		m.mode |= TYPE_REG;
		break;
	case TYPE_CHAR:
	case TYPE_BLK:
		m.rdev = dev;
		break;
	case TYPE_REG:
	case TYPE_FIFO:
	case TYPE_SOCK:
		break;
	case TYPE_DIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	return make_at(dirfd, path, &m);
}

long kcall_mknod(const char *path, unsigned mode, unsigned dev)
{
	return kcall_mknodat(AT_FDCWD, path, mode, dev);
}

long kcall_symlinkat(const char *user_target, int dirfd, const char *path)
{
	struct make m = {.mode = TYPE_LINK | 0777};
	struct path_buf b;
	long r = path_import(&b, user_target);

	if (r)
		return r;
	m.target = b.s;
	r = *b.s ? make_at(dirfd, path, &m) : -ENOENT;
	path_free(&b);
	return r;
}

long kcall_symlink(const char *target, const char *path)
{
	return kcall_symlinkat(target, AT_FDCWD, path);
}

long kcall_linkat(
    int from, const char *old, int to, const char *path, int flags)
{
	struct target t;
	struct dentry *d;
	struct entry e;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = fs_find(from, old,
	    (flags & AT_EMPTY_PATH) |
		(flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW),
	    &d);
	if (err)
		return err;
	err = target_start(&t, to, path);
	if (err)
		goto out;
	err = check_free(&t, false);
	if (!err && d->inode->fs != t.w.dir->inode->fs)
		err = -EXDEV;
	if (!err && INODE_IS_DIR(d->inode))
		err = -EPERM;
	if (!err)
		err = d->inode->ops->link(
		    d->inode, target_dir(&t), &t.w.last, &e);
	if (!err) {
		fs_notify(d, IN_ATTRIB);
		err = entered(&t, &e);
	}
	target_end(&t);
out:
	dentry_put(d);
	return err;
}

long kcall_link(const char *old, const char *path)
{
	return kcall_linkat(AT_FDCWD, old, AT_FDCWD, path, 0);
}

static int check_remove(struct target *t, bool dir)
{
	if (!dir && t->w.kind != LAST_NAME)
		return -EISDIR;
	if (t->w.kind == LAST_DOTDOT)
		return -ENOTEMPTY;
	if (t->w.kind == LAST_DOT)
		return t->w.last.len ? -EINVAL : -EBUSY; /* "." or "/" */
	if (t->w.dir->fs->rdonly)
		return -EROFS;
	if (!t->d->inode)
		return -ENOENT;
	if (dir != INODE_IS_DIR(t->d->inode) ||
	    (t->w.slash && !INODE_IS_DIR(t->d->inode)))
		return INODE_IS_DIR(t->d->inode) ? -EISDIR : -ENOTDIR;
	return target_busy(t) ? -EBUSY
			      : inode_may_remove(target_dir(t), t->d->inode);
}

/* A name of i has gone: its last? */
static void link_gone(struct inode *i, uint32_t links)
{
	if (INODE_IS_DIR(i) || links <= 1)
		fs_notify_inode(i, IN_DELETE_SELF | dir_bit(i));
	else
		fs_notify_inode(i, IN_ATTRIB);
}

static long remove_at(int dirfd, const char *user, bool dir)
{
	struct target t;
	int err = target_start(&t, dirfd, user);

	if (err)
		return err;
	err = check_remove(&t, dir);
	if (!err) {
		uint32_t links = t.d->inode->attr.nlink;
		err = target_dir(&t)->ops->remove(
		    target_dir(&t), &t.w.last, t.d->inode, dir);
		if (!err) {
			link_gone(t.d->inode, links);
			fs_notify_name(target_dir(&t), &t.w.last,
			    IN_DELETE | dir_bit(t.d->inode), 0);
		}
		if (!err || err == -ENOENT)
			dentry_gone(t.d, t.w.dir, &t.w.last);
	}
	target_end(&t);
	return err;
}

long kcall_unlinkat(int dirfd, const char *path, int flags)
{
	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	return remove_at(dirfd, path, flags & AT_REMOVEDIR);
}

long kcall_unlink(const char *path)
{
	return remove_at(AT_FDCWD, path, false);
}

long kcall_rmdir(const char *path)
{
	return remove_at(AT_FDCWD, path, true);
}

static int check_rename_types(
    struct target *o, struct target *n, unsigned flags)
{
	bool dir = INODE_IS_DIR(o->d->inode);

	if (!dir && (o->w.slash || (n->w.slash && !(flags & RENAME_EXCHANGE))))
		return -ENOTDIR;
	if (flags & RENAME_EXCHANGE && n->w.slash && !INODE_IS_DIR(n->d->inode))
		return -ENOTDIR;
	if (dir && dentry_is_below(n->w.dir, o->d))
		return -EINVAL;
	if (n->d->inode && dentry_is_below(o->w.dir, n->d))
		return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	if (!n->d->inode || flags & RENAME_EXCHANGE)
		return 0;
	if (dir && !INODE_IS_DIR(n->d->inode))
		return -ENOTDIR;
	return !dir && INODE_IS_DIR(n->d->inode) ? -EISDIR : 0;
}

/* What the directories and the kinds of the names say. */
static int check_rename_places(
    struct target *o, struct target *n, unsigned flags)
{
	if (o->w.dir->fs != n->w.dir->fs ||
	    target_dir(o)->fs != target_dir(n)->fs)
		return -EXDEV;
	if (o->w.kind != LAST_NAME)
		return -EBUSY;
	if (n->w.kind != LAST_NAME)
		return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	return o->w.dir->fs->rdonly ? -EROFS : 0;
}

/* Look both up; the old one has to be there. */
static int find_renamed(struct target *o, struct target *n)
{
	int err = walk_last(&o->w, &o->d);

	if (err)
		return err;
	return o->d->inode ? walk_last(&n->w, &n->d) : -ENOENT;
}

static int check_rename(struct target *o, struct target *n, unsigned flags)
{
	int err = check_rename_places(o, n, flags);

	if (!err)
		err = find_renamed(o, n);
	if (err)
		return err;
	if (n->d->inode && flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (!n->d->inode && flags & RENAME_EXCHANGE)
		return -ENOENT;
	if (target_busy(o) || target_busy(n))
		return -EBUSY;
	err = inode_may_remove(target_dir(o), o->d->inode);
	if (!err)
		err = n->d->inode
			  ? inode_may_remove(target_dir(n), n->d->inode)
			  : inode_may(target_dir(n), MAY_WRITE | MAY_EXEC);
	return err ? err : check_rename_types(o, n, flags);
}

static void tell_moved(struct target *o, struct target *n, struct inode *moved)
{
	uint32_t cookie = inotify_cookie(), dir = dir_bit(moved);

	fs_notify_name(target_dir(o), &o->w.last, IN_MOVED_FROM | dir, cookie);
	fs_notify_name(target_dir(n), &n->w.last, IN_MOVED_TO | dir, cookie);
	fs_notify_inode(moved, IN_MOVE_SELF | dir);
}

static void tell_renamed(
    struct target *o, struct target *n, unsigned flags, uint32_t victim_links)
{
	if (!fs_watched())
		return;
	tell_moved(o, n, o->d->inode);
	if (flags & RENAME_EXCHANGE)
		tell_moved(n, o, n->d->inode);
	else if (n->d->inode)
		link_gone(n->d->inode, victim_links);
}

static int rename_targets(struct target *o, struct target *n, unsigned flags)
{
	int err = check_rename(o, n, flags);
	uint32_t links;

	if (err || o->d->inode == n->d->inode)
		return err;
	links = n->d->inode ? n->d->inode->attr.nlink : 0;
	err = target_dir(o)->ops->rename(target_dir(o), &o->w.last, o->d->inode,
	    target_dir(n), &n->w.last, n->d->inode, flags);
	if (err == -ENOENT)
		dentry_forget(o->d);
	if (err)
		return err;
	tell_renamed(o, n, flags, links);
	if (flags & RENAME_EXCHANGE) {
		dentry_forget(o->d);
		dentry_forget(n->d);
	} else {
		(void)dentry_move(o->d, n->w.dir, &n->w.last);
	}
	return 0;
}

/* Directories may only move one at a time, or two could get into each other. */
static int rename_locked(struct target *o, struct target *n, unsigned flags)
{
	static struct mutex across = MUTEX_INIT(across);
	struct mutex *a = &target_dir(o)->change_lock;
	struct mutex *b = &target_dir(n)->change_lock;
	int err;

	if (a != b)
		mutex_lock(&across);
	mutex_lock(min(a, b));
	if (a != b)
		mutex_lock(max(a, b));
	err = rename_targets(o, n, flags);
	mutex_unlock(a);
	if (a != b) {
		mutex_unlock(b);
		mutex_unlock(&across);
	}
	return err;
}

long kcall_renameat2(
    int from, const char *old, int to, const char *path, unsigned flags)
{
	struct target o, n;
	int err;

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	err = path_import(&o.path, old);
	if (!err)
		err = target_parent(&o, from);
	if (err)
		return err;
	err = path_import(&n.path, path);
	if (!err)
		err = target_parent(&n, to);
	if (!err) {
		err = rename_locked(&o, &n, flags);
		target_end(&n);
	}
	target_end(&o);
	return err;
}

long kcall_renameat(int from, const char *old, int to, const char *path)
{
	return kcall_renameat2(from, old, to, path, 0);
}

long kcall_rename(const char *old, const char *path)
{
	return kcall_renameat2(AT_FDCWD, old, AT_FDCWD, path, 0);
}

long kcall_readlinkat(int dirfd, const char *path, char *user, int size)
{
	struct dentry *d;
	char *buf, first;
	long r;

	if (size <= 0)
		return -EINVAL;
	if (get_user(first, path))
		return -EFAULT;
	r = fs_find(dirfd, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &d);
	if (r)
		return r;
	buf = kmalloc(PATH_MAX);
	if (!buf)
		r = -ENOMEM;
	else if (!INODE_IS_LINK(d->inode))
		r = first ? -EINVAL : -ENOENT;
	else
		r = d->inode->ops->readlink(d->inode, buf, PATH_MAX - 1);
	if (r > size)
		r = size;
	if (r > 0 && copy_out(user, buf, (size_t)r))
		r = -EFAULT;
	kfree(buf);
	dentry_put(d);
	return r;
}

long kcall_readlink(const char *path, char *user, int size)
{
	return kcall_readlinkat(AT_FDCWD, path, user, size);
}

/* Places in a directory from here on, which no file system uses (they would be
 * negative offsets), are its mount points. */
#define MOUNTS_POS (1ull << 63)

static bool is_listed(struct inode *dir, struct dentry *d)
{
	struct name n = {d->name, d->len};
	struct entry e;

	if (dir->ops->lookup(dir, &n, &e) || !e.inode)
		return false;
	inode_put(e.inode);
	return true;
}

/* Mount points and the like that the directory itself does not have. */
static void emit_mounts(struct file *f, struct dir_emit *e)
{
	struct dentry *d;
	bool ok = true;

	f->pos = max(f->pos, MOUNTS_POS);
	while (ok && (d = dentry_pinned(
			  f->dentry, (unsigned)(f->pos - MOUNTS_POS)))) {
		if (!is_listed(f->inode, d))
			ok = dir_emit(e, d->name, d->len, f->pos, f->pos + 1,
			    (d->inode ? inode_type(d->inode) : TYPE_DIR) >> 12);
		f->pos += ok;
		dentry_put(d);
	}
}

static long read_dir(struct file *f, struct dir_emit *e)
{
	long r = 0;

	if (f->pos < MOUNTS_POS)
		r = f->inode->ops->readdir(f, e);
	if (!r && !e->done && !e->err && f->dentry)
		emit_mounts(f, e);
	if (e->done)
		return (long)e->done;
	return r ? r : e->err;
}

long kcall_getdents64(int fd, void *user, unsigned size)
{
	struct dir_emit e = {.user = user, .left = size};
	struct file *f = fd_get(fd);
	long r;

	if (!f)
		return -EBADF;
	if (f->flags & O_PATH) {
		r = -EBADF;
	} else if (!f->inode || !INODE_IS_DIR(f->inode)) {
		r = -ENOTDIR;
	} else {
		mutex_lock(&f->pos_lock);
		r = read_dir(f, &e);
		mutex_unlock(&f->pos_lock);
		fs_notify_file(f, IN_ACCESS);
	}
	file_put(f);
	return r;
}

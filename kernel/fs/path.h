/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Path resolution.
 *
 * A walk starts at a directory and follows a path's components to the last
 * but one; what to do with the last is the caller's business: look it up,
 * follow it if it is a symbolic link (and go on walking), or make it.
 *
 *	err = walk_start(&w, dirfd, path);     -- path stays the caller's
 *	if (!err)
 *		err = walk_parent(&w);         -- w.dir, w.last, w.kind
 *	...
 *	walk_end(&w);
 *
 * path_find() does all of that for calls that want an existing file.
 */
#ifndef TORIL_KERNEL_FS_PATH_H
#define TORIL_KERNEL_FS_PATH_H

#include "kernel/fs/vfs.h"

enum last_kind {
	LAST_NAME,   /* an ordinary name */
	LAST_DOT,    /* ".", or the starting point itself ("/") */
	LAST_DOTDOT, /* "..": w.dir is already the parent */
};

struct walk {
	struct dentry *dir; /* with a reference */
	struct name last;
	enum last_kind kind;
	bool slash;       /* a slash follows the last component */
	const char *rest; /* what is still to be walked */
	char *buf;        /* with symbolic links put in, or NULL */
	unsigned links;
	unsigned resolve;    /* RESOLVE_* of openat2(2) */
	struct dentry *root; /* what "/" and the highest ".." are */
	bool own_root;       /* with a reference */
	uint64_t now;
};

int walk_start(struct walk *w, int dirfd, const char *path);

/* As openat2(2) has it: `resolve` restricts where the walk may go, which
 * then fails with -EXDEV, -ELOOP or -EAGAIN. */
int walk_start_within(
    struct walk *w, int dirfd, const char *path, unsigned resolve);
int walk_parent(struct walk *w);

/* The last name's dentry, perhaps negative, mounts crossed. */
int walk_last(struct walk *w, struct dentry **d);

/* d, the last name, is a symbolic link: walk on to its target's parent. */
int walk_follow(struct walk *w, struct dentry *d);

void walk_end(struct walk *w);

#define PATH_NOFOLLOW 1u /* not if the last component is a link */
#define PATH_EMPTY_OK 2u /* "" is dirfd itself */
#define PATH_FD_LINK  4u /* /proc/self/fd/N itself rather than its file */

/* An existing file.  dirfd may be AT_FDCWD.  path is kernel memory. */
int path_find(int dirfd, const char *path, unsigned flags, struct dentry **d);

/* The same with openat2(2)'s RESOLVE_*. */
int path_find_within(int dirfd, const char *path, unsigned flags,
    unsigned resolve, struct dentry **d);

/* The name n in dir: cached, or asked for.  Perhaps negative. */
int path_child(
    struct dentry *dir, const struct name *n, uint64_t now, struct dentry **d);

/* The working directory, with a reference. */
struct dentry *path_cwd(void);
void path_set_cwd(struct dentry *d); /* takes the reference over */

/* chroot(2): "/" is d from now on, whose reference is taken over. */
void path_set_root(struct dentry *d);

/* Bring a program's path in; `fast` is used if it fits.  Free with
 * path_free.  -EFAULT, -ENAMETOOLONG, -ENOMEM. */
#define PATH_FAST 128
struct path_buf {
	char *s, *heap;
	char fast[PATH_FAST];
};
must_check int path_import(struct path_buf *b, const char *user);
void path_free(struct path_buf *b);

/* The target of a link as a string of its own (kfree). */
char *path_readlink(struct inode *i, int *err);

#endif

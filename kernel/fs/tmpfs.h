/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tmpfs: files in memory.  tmpfs.c has the tree, tmpfs_file.c the contents.
 */
#ifndef TORIL_KERNEL_FS_TMPFS_H
#define TORIL_KERNEL_FS_TMPFS_H

#include "kernel/fs/vfs.h"

/* [t] the file system's lock, [i] immutable. */
struct tmp_inode {
	struct inode i;
	struct treap names; /* [t] a directory's entries by hash */
	uint32_t nr_names;  /* [t] */
	char *link;         /* [i] a symbolic link's target */
	bool linkable;      /* [i] made nameless, may get a name (O_TMPFILE) */
	const char *text;   /* its contents until it is first opened, or NULL */
};

static inline struct tmp_inode *tmp_inode(struct inode *i)
{
	return container_of(i, struct tmp_inode, i);
}

/* The contents of i are as of now. */
void tmp_touch(struct inode *i);

/*
 * A new file of `size` zero bytes without a name, open for reading and
 * writing with the further O_* of `flags`.  0, -ENOMEM, -ENOSPC.  May sleep.
 */
int tmpfs_anonymous(uint64_t size, unsigned flags, struct file **f);

/*
 * A regular file with these contents, which must stay: they take no memory
 * until somebody opens it.  Its inode with a reference goes to *i.  -errno as
 * making a file has.  May sleep.
 */
int tmpfs_add_text(
    struct inode *dir, const char *name, const char *text, struct inode **i);

extern const struct file_ops tmp_file_ops;
int tmp_pages(struct file *f, uint64_t index, unsigned n, struct page **pages,
    size_t *bytes);
int tmp_fallocate(struct file *f, unsigned mode, uint64_t off, uint64_t len);
void tmp_resize(struct inode *i, uint64_t size);
/* All pages of i go. */
void tmp_clear(struct inode *i);
uint64_t tmp_pages_max(void);
uint64_t tmp_pages_used(void);

#endif

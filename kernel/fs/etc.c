/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A minimal /etc for a root of our own: the users, groups and host names
 * that libc is asked for by most servers.  They are ordinary files, which
 * the program may change.  A share on / or /etc hides them.
 */
#include <linux/fcntl.h>
#include <linux/uio.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/string.h"

static const struct {
	const char *name, *text;
} texts[] = {
    {"passwd", "root:x:0:0:root:/:/bin/sh\n"
	       "nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"},
    {"group", "root:x:0:\nnogroup:x:65534:\nnobody:x:65534:\n"},
    {"hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n"},
};

static int write_text(struct file *f, const char *text)
{
	struct iovec iov = {(void *)(uintptr_t)text, strlen(text)};
	struct iov_iter it;
	uint64_t pos = 0;
	ssize_t n;

	iter_init(&it, &iov, 1, true);
	n = f->ops->write(f, &it, &pos);
	return n < 0 ? (int)n : 0;
}

static int add_file(struct inode *dir, const char *name, const char *text)
{
	const struct name n = {name, (unsigned)strlen(name)};
	struct entry e;
	struct file *f;
	int err = dir->ops->create(dir, &n, 0644, O_WRONLY, &e, &f);

	if (err)
		return err;
	err = write_text(f, text);
	file_put(f);
	inode_put(e.inode);
	return err;
}

int etc_fill(struct inode *root)
{
	static const struct name etc = {"etc", 3};
	const struct make m = {.mode = 0040755};
	struct entry e;
	int err = root->ops->make(root, &etc, &m, &e);

	if (err)
		return err;
	for (unsigned i = 0; i < ARRAY_LEN(texts) && !err; i++)
		err = add_file(e.inode, texts[i].name, texts[i].text);
	inode_put(e.inode);
	return err;
}

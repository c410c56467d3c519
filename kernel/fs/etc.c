/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A minimal /etc: the users, groups, host names and name server that libc is
 * asked for by most servers.  They are ordinary files of a root of our own,
 * which the program may change.  With a share on / or /etc, those that it does
 * not have are shown in it, as if each were mounted there.
 */
#include "kernel/fs/tmpfs.h"
#include "kernel/lib/string.h"

static const struct {
	const char *path, *text;
} texts[] = {
    {"/etc/passwd", "root:x:0:0:root:/:/bin/sh\n"
		    "nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"},
    {"/etc/group", "root:x:0:\nnogroup:x:65534:\nnobody:x:65534:\n"},
    {"/etc/resolv.conf", "nameserver 127.0.0.1\n"}, /* libc's own default */
    {"/etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n"},
};

static struct inode *files[ARRAY_LEN(texts)]; /* with references */

int etc_fill(struct inode *root)
{
	static const struct name etc = {"etc", 3};
	const struct make m = {.mode = 0040755};
	struct entry e;
	int err = root->ops->make(root, &etc, &m, &e);

	if (err)
		return err;
	for (unsigned i = 0; i < ARRAY_LEN(texts) && !err; i++)
		err = tmpfs_add_text(
		    e.inode, texts[i].path + 5, texts[i].text, &files[i]);
	inode_put(e.inode);
	return err;
}

void etc_complete(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(texts); i++)
		vfs_show_missing(texts[i].path, files[i]);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mounting a FUSE server: INIT, and nothing else; the root's attributes are
 * asked for when somebody wants them.
 */
#include <asm/statfs.h>
#include "kernel/fs/fuse.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"

#define MINOR_WANTED 31u /* what we speak */
#define MINOR_LEAST  28u /* from here on all that we need exists */
#define FUSE_MAGIC   0x65735546

/* fuse_init_in as of 7.31; later versions append to it. */
struct init_in {
	uint32_t major, minor, max_readahead, flags;
};

static_assert(sizeof(struct init_in) == 16, "protocol");
static_assert(sizeof(struct fuse_init_out) == 64, "protocol");

#define FLAGS_WANTED                                                           \
	(FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES |             \
	    FUSE_AUTO_INVAL_DATA | FUSE_DO_READDIRPLUS |                       \
	    FUSE_READDIRPLUS_AUTO | FUSE_PARALLEL_DIROPS | FUSE_MAX_PAGES |    \
	    FUSE_CACHE_SYMLINKS | FUSE_POSIX_LOCKS)

int fuse_init(struct fuse_conn *c)
{
	struct init_in in = {
	    FUSE_KERNEL_VERSION, MINOR_WANTED, 1 * MIB, FLAGS_WANTED};
	struct fuse_init_out out;
	struct fuse_call call = {
	    .opcode = FUSE_INIT,
	    .in = {{&in, sizeof(in)}},
	    .out = &out,
	    .out_size = sizeof(out),
	};
	ssize_t n = fuse_call(c, &call);

	if (n < 0)
		return (int)n;
	if (out.major != FUSE_KERNEL_VERSION || out.minor < MINOR_LEAST)
		return -EPROTO;
	c->flags = out.flags & FLAGS_WANTED;
	c->max_write =
	    min(max(out.max_write, (uint32_t)PAGE_SIZE), (uint32_t)MIB);
	c->max_pages = 32;
	if (c->flags & FUSE_MAX_PAGES && out.max_pages)
		c->max_pages = out.max_pages;
	c->max_pages = min(c->max_pages, (uint32_t)FUSE_SG_MAX);
	c->max_pages = min(c->max_pages, c->max_sg - 3);
	return 0;
}

static int statfs_call(struct fs *fs, struct statfs *st)
{
	struct fuse_statfs_out out;
	struct fuse_call call = {
	    .opcode = FUSE_STATFS,
	    .nodeid = FUSE_ROOT_ID,
	    .out = &out,
	    .out_size = sizeof(out),
	};
	ssize_t n = fuse_call(fs->priv, &call);

	if (n < 0)
		return (int)n;
	memset(st, 0, sizeof(*st));
	st->f_type = FUSE_MAGIC;
	st->f_bsize = out.st.bsize;
	st->f_frsize = out.st.frsize ? out.st.frsize : out.st.bsize;
	st->f_blocks = (long)out.st.blocks;
	st->f_bfree = (long)out.st.bfree;
	st->f_bavail = (long)out.st.bavail;
	st->f_files = (long)out.st.files;
	st->f_ffree = (long)out.st.ffree;
	st->f_namelen = out.st.namelen;
	st->f_fsid.val[0] = (int)fs->dev;
	return 0;
}

/* Writes go through, so there is nothing of ours to write; the host's own
 * cache is synced by FUSE_SYNCFS where the server has it. */
static int sync_call(struct fs *fs)
{
	struct fuse_conn *c = fs->priv;
	struct fuse_syncfs_in in = {0};
	struct fuse_call call = {
	    .opcode = FUSE_SYNCFS,
	    .nodeid = FUSE_ROOT_ID,
	    .in = {{&in, sizeof(in)}},
	};
	ssize_t n;

	if (c->missing & 1ull << FUSE_SYNCFS)
		return 0;
	n = fuse_call(c, &call);
	return n == -ENOSYS ? 0 : (int)n;
}

struct fs *fuse_fs_create(struct fuse_conn *c)
{
	struct fuse_entry_out root = {.nodeid = FUSE_ROOT_ID};
	struct fs *fs = fs_alloc("virtiofs", c->tag);

	if (!fs)
		return NULL;
	fs->priv = c;
	fs->statfs = statfs_call;
	fs->sync = sync_call;
	c->fs = fs;
	root.attr.ino = 1;
	root.attr.mode = 0040755;
	root.attr.nlink = 2;
	fs->top = fuse_iget(c, &root);
	return fs->top ? fs : NULL;
}

int vfs_mount_virtiofs(const char *tag, const char *path, bool rdonly)
{
	struct fuse_conn *c = fuse_conn_find(tag);
	struct fs *fs;
	int err;

	if (!c)
		return -ENODEV;
	if (c->fs)
		return -EBUSY;
	err = fuse_init(c);
	if (err)
		return err;
	fs = fuse_fs_create(c);
	if (!fs)
		return -ENOMEM;
	fs->rdonly = rdonly;
	return vfs_mount(fs, path);
}

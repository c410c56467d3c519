/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FUSE's operations on names: looking up, making, linking, removing,
 * renaming; and those small ones that pass a buffer.
 */
#include <linux/fcntl.h>
#include <linux/fs.h>
#include "kernel/fs/fuse.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/creds.h"

static const char nul = 0;

#define NAME_ARG(n)                                                            \
	{(n)->s, (n)->len},                                                    \
	{                                                                      \
		&nul, 1                                                        \
	}
#define XATTR_LONGEST  65536u
#define SETXATTR_SHORT 8 /* fuse_setxattr_in without SETXATTR_EXT */

int fuse_lookup(struct inode *dir, const struct name *n, struct entry *e)
{
	struct fuse_entry_out out;
	struct fuse_call call = {
	    .opcode = FUSE_LOOKUP,
	    .nodeid = fuse_nodeid(dir),
	    .in = {NAME_ARG(n)},
	    .out = &out,
	    .out_size = sizeof(out),
	};
	uint64_t asked = fuse_version();
	ssize_t r = fuse_call(fuse_conn(dir), &call);

	fuse_inode(dir)->advise_plus = true;
	*e = (struct entry){NULL, 0};
	if (r == -ENOENT)
		return 0;
	return r < 0 ? (int)r : fuse_entry(fuse_conn(dir), &out, asked, e);
}

/* The process's rights have been looked at here: what refuses its ids is a
 * server that can't take them. */
ssize_t fuse_call_as_owner(struct fuse_conn *c, struct fuse_call *call)
{
	ssize_t n;

	call->uid = creds.uid.fs;
	call->gid = creds.gid.fs;
	n = fuse_call(c, call);
	if ((call->uid || call->gid) &&
	    (n == -EPERM || n == -EACCES || n == -EINVAL)) {
		call->uid = call->gid = 0;
		n = fuse_call(c, call);
	}
	return n;
}

/* A call that makes a name in dir and is answered by its entry. */
static int entry_call(
    struct inode *dir, struct fuse_call *call, uint32_t type, struct entry *e)
{
	uint64_t asked = fuse_version();
	struct fuse_entry_out out;
	ssize_t r;

	call->nodeid = fuse_nodeid(dir);
	call->out = &out;
	call->out_size = sizeof(out);
	inode_dir_changed(dir);
	r = fuse_call_as_owner(fuse_conn(dir), call);
	inode_dir_changed(dir);
	fuse_attr_stale(dir);
	if (r < 0)
		return (int)r;
	if (!out.nodeid || (out.attr.mode & 0170000) != type)
		return -EIO;
	return fuse_entry(fuse_conn(dir), &out, asked, e);
}

int fuse_make(struct inode *dir, const struct name *n, const struct make *m,
    struct entry *e)
{
	uint32_t type = m->mode & 0170000;
	struct fuse_mkdir_in mkdir = {.mode = m->mode};
	struct fuse_mknod_in mknod = {
	    .mode = m->mode, .rdev = (uint32_t)m->rdev};
	struct fuse_call call = {.in = {{NULL, 0}, NAME_ARG(n)}};

	if (type == 0120000) {
		struct fuse_call link = {
		    .opcode = FUSE_SYMLINK,
		    .in = {NAME_ARG(n), {m->target, strlen(m->target) + 1}},
		};
		return entry_call(dir, &link, type, e);
	}
	if (type == 0040000) {
		call.opcode = FUSE_MKDIR;
		call.in[0] = (struct fuse_arg){&mkdir, sizeof(mkdir)};
	} else {
		call.opcode = FUSE_MKNOD;
		call.in[0] = (struct fuse_arg){&mknod, sizeof(mknod)};
	}
	return entry_call(dir, &call, type, e);
}

int fuse_link(
    struct inode *i, struct inode *dir, const struct name *n, struct entry *e)
{
	struct fuse_link_in in = {fuse_nodeid(i)};
	struct fuse_call call = {
	    .opcode = FUSE_LINK,
	    .in = {{&in, sizeof(in)}, NAME_ARG(n)},
	};
	int err;

	fuse_attr_stale(i);
	err = entry_call(dir, &call, inode_type(i), e);
	if (!err && e->inode != i) {
		inode_put(e->inode);
		return -EIO;
	}
	return err;
}

int fuse_create(struct inode *dir, const struct name *n, uint32_t mode,
    unsigned flags, struct entry *e, struct file **f)
{
	struct fuse_create_in in = {
	    .flags = (flags | O_CREAT) &
		     ~(unsigned)(O_CLOEXEC | O_DIRECT | O_NOFOLLOW | O_NOCTTY),
	    .mode = 0100000 | mode,
	};
	struct {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} out;
	struct fuse_call call = {
	    .opcode = FUSE_CREATE,
	    .nodeid = fuse_nodeid(dir),
	    .in = {{&in, sizeof(in)}, NAME_ARG(n)},
	    .out = &out,
	    .out_size = sizeof(out),
	};
	uint64_t asked = fuse_version();
	ssize_t r;
	int err;

	inode_dir_changed(dir);
	r = fuse_call_as_owner(fuse_conn(dir), &call);
	inode_dir_changed(dir);
	fuse_attr_stale(dir);
	if (r < 0)
		return (int)r;
	if (!out.entry.nodeid || (out.entry.attr.mode & 0170000) != 0100000)
		return -EIO;
	err = fuse_entry(fuse_conn(dir), &out.entry, asked, e);
	if (err)
		return err;
	pagecache_drop(&e->inode->cache, 0, UINT64_MAX);
	err = fuse_file(e->inode, flags, &out.open, f);
	if (err)
		inode_put(e->inode);
	return err;
}

int fuse_remove(
    struct inode *dir, const struct name *n, struct inode *victim, bool is_dir)
{
	struct fuse_call call = {
	    .opcode = is_dir ? FUSE_RMDIR : FUSE_UNLINK,
	    .nodeid = fuse_nodeid(dir),
	    .in = {NAME_ARG(n)},
	};
	ssize_t r;

	inode_dir_changed(dir);
	r = fuse_call(fuse_conn(dir), &call);
	inode_dir_changed(dir);
	fuse_attr_stale(dir);
	fuse_attr_stale(victim);
	return r < 0 ? (int)r : 0;
}

static ssize_t rename_call(struct inode *from, const struct name *fn,
    struct inode *to, const struct name *tn, unsigned flags)
{
	struct fuse_rename2_in in2 = {
	    .newdir = fuse_nodeid(to), .flags = flags};
	struct fuse_rename_in in = {.newdir = fuse_nodeid(to)};
	char names[2 * (NAME_MAX + 1)];
	struct fuse_call call = {
	    .opcode = flags ? FUSE_RENAME2 : FUSE_RENAME,
	    .nodeid = fuse_nodeid(from),
	    .in = {{&in, sizeof(in)}, {names, fn->len + tn->len + 2ul}},
	};

	if (flags)
		call.in[0] = (struct fuse_arg){&in2, sizeof(in2)};
	memcpy(names, fn->s, fn->len);
	names[fn->len] = 0;
	memcpy(names + fn->len + 1, tn->s, tn->len);
	names[fn->len + 1 + tn->len] = 0;
	return fuse_call(fuse_conn(from), &call);
}

int fuse_rename(struct inode *from, const struct name *fn, struct inode *moved,
    struct inode *to, const struct name *tn, struct inode *victim,
    unsigned flags)
{
	ssize_t r;

	inode_dir_changed(from);
	inode_dir_changed(to);
	r = rename_call(from, fn, to, tn, flags);
	inode_dir_changed(from);
	inode_dir_changed(to);
	fuse_attr_stale(from);
	fuse_attr_stale(to);
	fuse_attr_stale(moved);
	if (victim)
		fuse_attr_stale(victim);
	return r == -ENOSYS ? -EINVAL : r < 0 ? (int)r : 0;
}

int fuse_readlink(struct inode *i, char *buf, size_t size)
{
	struct fuse_call call = {
	    .opcode = FUSE_READLINK,
	    .nodeid = fuse_nodeid(i),
	    .out = buf,
	    .out_size = size,
	    .out_short = true,
	};
	ssize_t n;

	if (!INODE_IS_LINK(i))
		return -EINVAL;
	n = fuse_call(fuse_conn(i), &call);
	if (n > 0 && memchr(buf, 0, (size_t)n))
		return -EIO;
	return (int)n;
}

int fuse_access(struct inode *i, unsigned mask)
{
	struct fuse_conn *c = fuse_conn(i);
	struct fuse_access_in in = {.mask = mask};
	struct fuse_call call = {
	    .opcode = FUSE_ACCESS,
	    .nodeid = fuse_nodeid(i),
	    .in = {{&in, sizeof(in)}},
	};
	ssize_t r = -ENOSYS;

	if (!(c->missing & 1ull << FUSE_ACCESS))
		r = fuse_call(c, &call);
	if (r == -ENOSYS)
		return inode_root_access(i, mask);
	return r < 0 ? (int)r : 0;
}

static ssize_t xattr_get(struct inode *i, const struct xattr *x)
{
	struct fuse_getxattr_in in = {.size = (uint32_t)x->size};
	struct fuse_getxattr_out length;
	struct fuse_call call = {
	    .opcode = x->op == XATTR_GET ? FUSE_GETXATTR : FUSE_LISTXATTR,
	    .nodeid = fuse_nodeid(i),
	    .in = {{&in, sizeof(in)}},
	    .out = x->size ? x->value : &length,
	    .out_size = x->size ? x->size : sizeof(length),
	    .out_short = x->size != 0,
	};
	ssize_t n;

	if (x->op == XATTR_GET)
		call.in[1] = (struct fuse_arg){x->name, strlen(x->name) + 1};
	n = fuse_call(fuse_conn(i), &call);
	if (n < 0 || x->size)
		return n;
	return length.size > XATTR_LONGEST ? -EIO : (ssize_t)length.size;
}

ssize_t fuse_xattr(struct inode *i, const struct xattr *x)
{
	struct fuse_setxattr_in in = {
	    .size = (uint32_t)x->size, .flags = (uint32_t)x->flags};
	struct fuse_call call = {.nodeid = fuse_nodeid(i)};
	ssize_t r = 0;

	if (x->op == XATTR_GET || x->op == XATTR_LIST) {
		r = xattr_get(i, x);
	} else if (x->op == XATTR_SET) {
		call.opcode = FUSE_SETXATTR;
		call.in[0] = (struct fuse_arg){&in, SETXATTR_SHORT};
		call.in[1] = (struct fuse_arg){x->name, strlen(x->name) + 1};
		call.in[2] = (struct fuse_arg){x->value, x->size};
	} else {
		call.opcode = FUSE_REMOVEXATTR;
		call.in[0] = (struct fuse_arg){x->name, strlen(x->name) + 1};
	}
	if (call.opcode) {
		r = fuse_call(fuse_conn(i), &call);
		fuse_attr_stale(i);
	}
	return r == -ENOSYS ? -EOPNOTSUPP : r;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Permissions of files; see permission.h. */
#include <linux/stat.h>
#include "kernel/fs/permission.h"
#include "kernel/fs/vfs.h"
#include "kernel/sched/creds.h"

static bool is_owner(const struct inode *i)
{
	return creds.uid.fs == i->attr.uid;
}

static unsigned bits_for(const struct inode *i)
{
	unsigned mode = i->attr.mode;

	if (is_owner(i))
		return mode >> 6 & 7;
	return (creds_in_group(i->attr.gid) ? mode >> 3 : mode) & 7;
}

int inode_may(struct inode *i, unsigned mask)
{
	int err;

	/* Root may all but execute what nobody may. */
	if (creds_capable(CAP_DAC_OVERRIDE))
		return mask & MAY_EXEC && !INODE_IS_DIR(i) &&
			       !(i->attr.mode & 0111)
			   ? -EACCES
			   : 0;
	err = i->ops->getattr(i, NULL);
	if (err)
		return err;
	return mask & ~bits_for(i) ? -EACCES : 0;
}

int inode_may_remove(struct inode *dir, struct inode *victim)
{
	int err = inode_may(dir, MAY_WRITE | MAY_EXEC);

	if (err || creds_capable(CAP_FOWNER) || !(dir->attr.mode & S_ISVTX))
		return err;
	return is_owner(victim) || is_owner(dir) ? 0 : -EPERM;
}

int inode_may_set(struct inode *i, const struct setattr *s)
{
	bool to_now = !(s->valid & (SET_ATIME | SET_MTIME)) ||
		      s->valid & (SET_ATIME_NOW | SET_MTIME_NOW);

	if (s->valid & SET_UID && s->uid != i->attr.uid &&
	    !creds_capable(CAP_CHOWN))
		return -EPERM;
	if (s->valid & SET_GID && s->gid != i->attr.gid &&
	    !creds_capable(CAP_CHOWN) &&
	    !(is_owner(i) && creds_in_group(s->gid)))
		return -EPERM;
	if (s->valid & SET_SIZE)
		return inode_may(i, MAY_WRITE);
	if (is_owner(i) || creds_capable(CAP_FOWNER))
		return 0;
	if (s->valid & SET_MODE)
		return -EPERM;
	if (s->valid & SET_ATIME && to_now)
		return inode_may(i, MAY_WRITE);
	return s->valid & (SET_ATIME | SET_MTIME) ? -EPERM : 0;
}

static bool keeps_group_bit(const struct inode *i)
{
	return creds_capable(CAP_FSETID) || creds_in_group(i->attr.gid);
}

uint32_t inode_new_mode(const struct inode *dir, uint32_t mode)
{
	if ((mode & 0170000) == 0040000 || !(dir->attr.mode & S_ISGID) ||
	    (mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP))
		return mode;
	return keeps_group_bit(dir) ? mode : mode & ~(uint32_t)S_ISGID;
}

uint32_t inode_chmod_mode(const struct inode *i, uint32_t mode)
{
	return keeps_group_bit(i) ? mode : mode & ~(uint32_t)S_ISGID;
}

/* S_ISGID without execution for the group once meant mandatory locks. */
uint32_t inode_chown_mode(const struct inode *i)
{
	uint32_t mode = i->attr.mode & 07777;

	if (INODE_IS_DIR(i))
		return mode;
	if (mode & S_IXGRP || !keeps_group_bit(i))
		mode &= ~(uint32_t)S_ISGID;
	return mode & ~(uint32_t)S_ISUID;
}

int inode_drop_set_id(struct inode *i)
{
	struct setattr s = {.valid = SET_MODE};

	if (!INODE_IS_REG(i) || !(i->attr.mode & (S_ISUID | S_ISGID)) ||
	    creds_capable(CAP_FSETID))
		return 0;
	s.mode = inode_chown_mode(i);
	return s.mode == (i->attr.mode & 07777) ? 0
						: i->ops->setattr(i, NULL, &s);
}

ssize_t inode_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	int err = f->inode && it->left ? inode_drop_set_id(f->inode) : 0;

	return err ? err : f->ops->write(f, it, pos);
}

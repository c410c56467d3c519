/* SPDX-License-Identifier: BSD-2-Clause */
/* What of the kernel the file system tests leave out. */
#include "kernel/fs/pipe.h"
#include "kernel/fs/vfs.h"

int inode_file_mmap(struct file *f, struct vm_region *r)
{
	(void)f, (void)r;
	return -ENODEV;
}

int inode_sync_maps(struct inode *i)
{
	(void)i;
	return 0;
}

void vfs_sync_all(void)
{
}

void inode_unmap(struct inode *i, uint64_t first, uint64_t last, bool copies)
{
	(void)i, (void)first, (void)last, (void)copies;
}

struct fs *procfs_create(void)
{
	return devfs_create();
}

int procfs_fd(const struct inode *i)
{
	(void)i;
	return -1;
}

int procfs_fd_open(struct inode *i, unsigned flags, struct file **f)
{
	(void)i, (void)flags, (void)f;
	return -ENOENT;
}

/* No pipes: nothing is one. */
int fifo_open(struct inode *i, unsigned flags, struct file **f)
{
	(void)i, (void)flags, (void)f;
	return -ENXIO;
}

bool pipe_is(const struct file *f)
{
	(void)f;
	return false;
}

long pipe_capacity(struct file *f)
{
	(void)f;
	return -EBADF;
}

long pipe_set_capacity(struct file *f, size_t bytes)
{
	(void)f, (void)bytes;
	return -EBADF;
}

ssize_t pipe_room(struct file *f, bool nonblock)
{
	(void)f, (void)nonblock;
	return -EPIPE;
}

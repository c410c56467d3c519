/* SPDX-License-Identifier: BSD-2-Clause */
/* Pipes and FIFOs: pipe(7), fifo(7). */
#ifndef TORIL_KERNEL_FS_PIPE_H
#define TORIL_KERNEL_FS_PIPE_H

#include "kernel/lib/base.h"

struct file;
struct inode;

/* Two files, read end first; flags are O_NONBLOCK and such.  0, -ENOMEM. */
int pipe_create(unsigned flags, struct file *out[2]);

/* Open the FIFO whose inode is i.  Waits for the other side as open(2) does:
 * 0, -ENXIO (O_NONBLOCK, no reader), -ENOMEM, -ERESTARTSYS. */
int fifo_open(struct inode *i, unsigned flags, struct file **f);

bool pipe_is(const struct file *f);

/* How much a pipe holds, in bytes; setting it gives the new size, -EBUSY
 * when more is in it, -EPERM or -EINVAL.  -EBADF: not a pipe. */
long pipe_capacity(struct file *f);
long pipe_set_capacity(struct file *f, size_t bytes);

/*
 * For splice(2).  pipe_room waits until something can be written: how much,
 * -EAGAIN (nonblock), -EPIPE, -ERESTARTSYS.  pipe_wait_data waits for data or
 * the end: 0 or -ERESTARTSYS.  pipe_take copies at most n bytes to kernel
 * memory without removing them: how many, 0 at the end, -EAGAIN; pipe_drop
 * removes them.  These two are called between pipe_lock_read and
 * pipe_unlock_read, which nobody waits under.
 */
ssize_t pipe_room(struct file *f, bool nonblock);
void pipe_lock_read(struct file *f);
int pipe_wait_data(struct file *f);
ssize_t pipe_take(struct file *f, void *buf, size_t n);
void pipe_drop(struct file *f, size_t n);
void pipe_unlock_read(struct file *f);

#endif

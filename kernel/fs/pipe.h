/* SPDX-License-Identifier: BSD-2-Clause */
/* Pipes, pipe(7). */
#ifndef TORIL_KERNEL_FS_PIPE_H
#define TORIL_KERNEL_FS_PIPE_H

struct file;

/* Two files, read end first; flags are O_NONBLOCK and such.  0, -ENOMEM. */
int pipe_create(unsigned flags, struct file *out[2]);

#endif

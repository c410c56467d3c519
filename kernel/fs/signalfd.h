/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals as files, signalfd(2). */
#ifndef TORIL_KERNEL_FS_SIGNALFD_H
#define TORIL_KERNEL_FS_SIGNALFD_H

#include "kernel/lib/base.h"

struct file;

/* A new file that gives the pending signals of `set` to its readers;
 * O_NONBLOCK may be in flags.  NULL when memory is short. */
struct file *signalfd_create(uint64_t set, unsigned flags);

/* Change the set; -EINVAL if f is another kind of file. */
int signalfd_change(struct file *f, uint64_t set);

#endif

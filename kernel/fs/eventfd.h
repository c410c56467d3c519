/* SPDX-License-Identifier: BSD-2-Clause */
/* Event counters, eventfd(2). */
#ifndef TORIL_KERNEL_FS_EVENTFD_H
#define TORIL_KERNEL_FS_EVENTFD_H

#include "kernel/lib/base.h"

struct file;

/* NULL when memory is short; flags are O_NONBLOCK and such. */
struct file *eventfd_create(uint64_t count, bool semaphore, unsigned flags);

#endif

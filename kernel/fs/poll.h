/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for several files at once: poll(2), and select(2) upon it. */
#ifndef TORIL_KERNEL_FS_POLL_H
#define TORIL_KERNEL_FS_POLL_H

#include "kernel/lib/base.h"

struct file;

struct poll_entry {
	struct file *file; /* or NULL: skipped, revents stays */
	unsigned events;   /* wanted; ERR, HUP and NVAL are always reported */
	unsigned revents;
};

/* Fill in revents; how many are not 0.  Sleeps until one is, the deadline
 * (then 0), or a signal: -EINTR.  -ENOMEM. */
int poll_files(struct poll_entry *e, unsigned n, uint64_t deadline);

#endif

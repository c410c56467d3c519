/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who the process is: user and group ids, and capabilities; credentials(7).
 * posix/creds.c has the calls that change them.  None of these sleeps.
 */
#ifndef TORIL_KERNEL_SCHED_CREDS_H
#define TORIL_KERNEL_SCHED_CREDS_H

#include <linux/capability.h>
#include "kernel/sched/spinlock.h"

#define CREDS_GROUPS_MAX 64 /* Linux: 65536 */

struct creds_ids {
	uint32_t real, effective, saved, fs;
};

struct creds {
	struct spinlock lock;
	struct creds_ids uid, gid; /* [lock] */
	uint32_t groups[CREDS_GROUPS_MAX], nr_groups;
	uint64_t permitted, usable, inheritable, bounding; /* CAP_* */
	bool keep_caps; /* PR_SET_KEEPCAPS: giving up user 0 keeps them */
};
extern struct creds creds;

/* The process has this effective capability, CAP_*. */
bool creds_capable(unsigned cap);

/* For files, the process belongs to this group. */
bool creds_in_group(uint32_t gid);

#endif

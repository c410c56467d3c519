/* SPDX-License-Identifier: BSD-2-Clause */
/* Who the process is: user and group ids, and capabilities. */
#ifndef TORIL_POSIX_CREDS_H
#define TORIL_POSIX_CREDS_H

#include <linux/capability.h>
#include "kernel/lib/base.h"

/* The process has this effective capability, CAP_*.  May not sleep. */
bool creds_capable(unsigned cap);

/* PR_SET_KEEPCAPS: capabilities survive giving up user 0. */
extern bool creds_keep_caps;

/* Bounding set: capabilities that can still be had. */
uint64_t creds_bounding(void);
void creds_bounding_drop(unsigned cap);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers as files, timerfd_create(2). */
#ifndef TORIL_KERNEL_FS_TIMERFD_H
#define TORIL_KERNEL_FS_TIMERFD_H

#include "kernel/lib/base.h"

struct file;

struct timerfd_setting {
	uint64_t due;      /* nanoseconds of its clock; 0: disarmed */
	uint64_t interval; /* nanoseconds; 0: once */
	bool wall;         /* due follows the wall clock, which may be set */
	bool cancel;       /* being set makes reads fail with -ECANCELED */
};

/* A new file; O_NONBLOCK may be in flags.  NULL when memory is short. */
struct file *timerfd_create(int clock, unsigned flags);

/* The clock it was made with, or -EINVAL if f is another kind of file. */
int timerfd_clock(const struct file *f);

/* Arm it.  What was left before (0: not armed) and the old interval go to
 * *left and *every. */
void timerfd_set(struct file *f, const struct timerfd_setting *s,
    uint64_t *left, uint64_t *every);
void timerfd_get(struct file *f, uint64_t *left, uint64_t *every);

#endif

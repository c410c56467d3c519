/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux's time structures to nanoseconds and deadlines. */
#ifndef TORIL_POSIX_TIME_CONVERT_H
#define TORIL_POSIX_TIME_CONVERT_H

#include <linux/time_types.h>
#include "kernel/lib/base.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/wait.h"

#define SECONDS_MAX (INT64_MAX / (int64_t)NSEC_PER_SEC)

/* Read a timespec of the program; -EFAULT, -EINVAL.  Saturates. */
static inline long timespec_import(
    const struct __kernel_timespec *user, uint64_t *ns)
{
	struct __kernel_timespec ts;

	if (copy_in(&ts, user, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 ||
	    ts.tv_nsec >= (long long)NSEC_PER_SEC)
		return -EINVAL;
	*ns = ts.tv_sec >= SECONDS_MAX
		  ? INT64_MAX
		  : (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
	return 0;
}

static inline struct __kernel_timespec timespec_of(uint64_t ns)
{
	return (struct __kernel_timespec){
	    .tv_sec = (long long)(ns / NSEC_PER_SEC),
	    .tv_nsec = (long long)(ns % NSEC_PER_SEC),
	};
}

static inline uint64_t deadline_after(uint64_t ns)
{
	return ns >= INT64_MAX ? DEADLINE_NEVER : clock_monotonic() + ns;
}

static inline uint64_t deadline_of_realtime(uint64_t ns)
{
	uint64_t now = clock_realtime();

	return ns <= now ? clock_monotonic() : deadline_after(ns - now);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Sleeping. */
#include <linux/time.h>
#include "kernel/sched/thread.h"
#include "posix/calls.h"
#include "posix/clock.h"
#include "posix/time_convert.h"

#define CPU_STEP_NS (4 * NSEC_PER_MSEC)

/* Sleep to a deadline; 0 or -EINTR.  A stopped sleep is not restarted. */
static long sleep_until(uint64_t deadline)
{
	int err = 0;

	while (!err)
		err = thread_sleep(deadline, true);
	return err == -ETIMEDOUT ? 0 : -EINTR;
}

static long sleep_relative(uint64_t ns, struct __kernel_timespec *left)
{
	uint64_t deadline = deadline_after(ns);
	long err = sleep_until(deadline);
	uint64_t now = clock_monotonic();

	if (err && left &&
	    put_user(left, timespec_of(deadline > now ? deadline - now : 0)))
		return -EFAULT;
	return err;
}

long kcall_nanosleep(
    const struct __kernel_timespec *ts, struct __kernel_timespec *left)
{
	uint64_t ns;
	long err = timespec_import(ts, &ns);

	return err ? err : sleep_relative(ns, left);
}

/* Until clock `id` says `until`, which may jump or stand still. */
static long sleep_until_clock(int id, uint64_t until)
{
	uint32_t sets;
	uint64_t now, left, deadline;
	long err;

	for (;;) {
		sets =
		    __atomic_load_n(&alarm_wall_clock_sets, __ATOMIC_ACQUIRE);
		err = clock_read(id, &now);
		if (err || until <= now)
			return err;
		left = until - now;
		if (clock_is_cpu(id))
			left = max(left, (uint64_t)CPU_STEP_NS);
		deadline = deadline_after(left);
		err = wait_event(&alarm_wall_clock_wait,
		    alarm_wall_clock_sets != sets, deadline, true);
		if (err == -ERESTARTSYS)
			return -EINTR;
	}
}

long kcall_clock_nanosleep(int id, int flags,
    const struct __kernel_timespec *ts, struct __kernel_timespec *left)
{
	uint64_t ns, now;
	long err;

	if (id == CLOCK_THREAD_CPUTIME_ID || id == CLOCK_MONOTONIC_RAW ||
	    id == CLOCK_REALTIME_COARSE || id == CLOCK_MONOTONIC_COARSE)
		return id == CLOCK_THREAD_CPUTIME_ID ? -EINVAL : -EOPNOTSUPP;
	err = clock_read(id, &now);
	if (!err)
		err = timespec_import(ts, &ns);
	if (err)
		return err;
	if (!(flags & TIMER_ABSTIME) && !clock_is_cpu(id))
		return sleep_relative(ns, left);
	return sleep_until_clock(id, flags & TIMER_ABSTIME ? ns : now + ns);
}

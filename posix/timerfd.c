/* SPDX-License-Identifier: BSD-2-Clause */
/* timerfd_create(2) and its settings. */
#include <linux/fcntl.h>
#include <linux/time.h>
#include <linux/timerfd.h>
#include "kernel/fs/file.h"
#include "kernel/fs/timerfd.h"
#include "posix/calls.h"
#include "posix/clock.h"
#include "posix/fs.h"
#include "posix/time_convert.h"

struct itimerspec64 {
	struct __kernel_timespec interval, value;
};

static bool clock_allowed(int clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC ||
	       clock == CLOCK_BOOTTIME || clock == CLOCK_REALTIME_ALARM ||
	       clock == CLOCK_BOOTTIME_ALARM;
}

long kcall_timerfd_create(int clock, int flags)
{
	struct file *f;

	if (flags & ~(TFD_CLOEXEC | TFD_NONBLOCK) || !clock_allowed(clock))
		return -EINVAL;
	f = timerfd_create(clock, (unsigned)flags & TFD_NONBLOCK);
	return fs_install(f, flags & TFD_CLOEXEC);
}

static bool is_wall(int clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_ALARM;
}

static long setting_import(struct timerfd_setting *s, int clock, int flags,
    const struct itimerspec64 *new)
{
	bool absolute = flags & TFD_TIMER_ABSTIME;
	uint64_t value;
	long err = timespec_import(&new->value, &value);

	if (!err)
		err = timespec_import(&new->interval, &s->interval);
	if (err)
		return err;
	s->wall = absolute && is_wall(clock);
	s->cancel = flags & TFD_TIMER_CANCEL_ON_SET;
	s->due = !value || absolute ? value : clock_monotonic() + value;
	return 0;
}

static long put_spec(struct itimerspec64 *out, uint64_t left, uint64_t every)
{
	struct itimerspec64 v = {timespec_of(every), timespec_of(left)};

	return put_user(out, v);
}

long kcall_timerfd_settime(
    int fd, int flags, const struct itimerspec64 *new, struct itimerspec64 *old)
{
	struct timerfd_setting s;
	uint64_t left, every;
	struct file *f;
	long err;

	if (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
		return -EINVAL;
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	err = min(timerfd_clock(f), 0);
	if (!err)
		err = setting_import(&s, timerfd_clock(f), flags, new);
	if (!err)
		timerfd_set(f, &s, &left, &every);
	file_put(f);
	if (err)
		return err;
	return old ? put_spec(old, left, every) : 0;
}

long kcall_timerfd_gettime(int fd, struct itimerspec64 *out)
{
	struct file *f = fd_get(fd);
	uint64_t left, every;
	long err;

	if (!f)
		return -EBADF;
	err = min(timerfd_clock(f), 0);
	if (!err)
		timerfd_get(f, &left, &every);
	file_put(f);
	return err ? err : put_spec(out, left, every);
}

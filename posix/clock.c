/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks: reading and setting them, and the CPU time used. */
#include <linux/time.h>
#include "posix/clock.h"
#include "kernel/mm/page.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/creds.h"
#include "kernel/sched/process.h"
#include "kernel/sched/thread.h"
#include "posix/calls.h"
#include "posix/time_convert.h"

#define TICKS_PER_SEC 100

struct timeval64 {
	int64_t sec, usec;
};

uint64_t clock_process(void)
{
	uint64_t sum;
	struct thread *t;

	spin_lock(&threads_lock);
	sum = threads_dead_ns;
	list_for_each (t, &threads_all, all_node)
		if (!t->kernel_only)
			sum += thread_cpu_time(t);
	spin_unlock(&threads_lock);
	return sum;
}

static long read_thread(int tid, uint64_t *ns)
{
	struct thread *t = thread_current();

	spin_lock(&threads_lock);
	if (tid)
		t = thread_find_locked(tid);
	if (t)
		*ns = thread_cpu_time(t);
	spin_unlock(&threads_lock);
	return t ? 0 : -EINVAL;
}

static long read_cpu(int id, uint64_t *ns)
{
	int who = CLOCK_CPU_TID(id);

	if ((id & CLOCK_CPU_KIND) == CLOCK_CPU_KIND)
		return -EINVAL;
	if (id & CLOCK_CPU_THREAD)
		return read_thread(who, ns);
	if (who == PROCESS_INIT) { /* it has always slept */
		*ns = 0;
		return 0;
	}
	if (who != 0 && who != PROCESS_PID)
		return -EINVAL;
	*ns = clock_process();
	return 0;
}

bool clock_is_cpu(int id)
{
	return id < 0 || id == CLOCK_PROCESS_CPUTIME_ID ||
	       id == CLOCK_THREAD_CPUTIME_ID;
}

long clock_read(int id, uint64_t *ns)
{
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		*ns = clock_realtime();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = clock_monotonic();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*ns = clock_process();
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		return read_thread(0, ns);
	}
	return id < 0 ? read_cpu(id, ns) : -EINVAL;
}

long kcall_clock_gettime(int id, struct __kernel_timespec *ts)
{
	uint64_t ns;
	long err = clock_read(id, &ns);

	return err ? err : put_user(ts, timespec_of(ns));
}

long kcall_clock_getres(int id, struct __kernel_timespec *ts)
{
	uint64_t ns;
	long err = clock_read(id, &ns);

	return err || !ts ? err : put_user(ts, timespec_of(1));
}

/* The machine can't have started before 1970. */
static long wall_clock_set(uint64_t ns)
{
	if (!creds_capable(CAP_SYS_TIME))
		return -EPERM;
	if (ns < clock_monotonic())
		return -EINVAL;
	alarm_set_wall_clock(ns);
	return 0;
}

long kcall_clock_settime(int id, const struct __kernel_timespec *ts)
{
	uint64_t ns;
	long err;

	if (id != CLOCK_REALTIME)
		return -EINVAL;
	err = timespec_import(ts, &ns);
	return err ? err : wall_clock_set(ns);
}

long kcall_gettimeofday(struct timeval64 *tv, void *tz)
{
	uint64_t ns = clock_realtime();
	struct timeval64 v = {
	    (int64_t)(ns / NSEC_PER_SEC), (int64_t)(ns % NSEC_PER_SEC / 1000)};

	if (tz && clear_out(tz, 8))
		return -EFAULT;
	return tv ? put_user(tv, v) : 0;
}

long kcall_settimeofday(const struct timeval64 *tv, const void *tz)
{
	struct timeval64 v;

	(void)tz; /* there are no time zones in the kernel */
	if (!tv)
		return 0;
	if (copy_in(&v, tv, sizeof(v)))
		return -EFAULT;
	if (v.sec < 0 || v.sec >= SECONDS_MAX || v.usec < 0 ||
	    v.usec >= 1000000)
		return -EINVAL;
	return wall_clock_set(
	    (uint64_t)v.sec * NSEC_PER_SEC + (uint64_t)v.usec * 1000);
}

long kcall_time(int64_t *t)
{
	int64_t s = (int64_t)(clock_realtime() / NSEC_PER_SEC);

	if (t && put_user(t, s))
		return -EFAULT;
	return s;
}

long kcall_times(int64_t *buf)
{
	int64_t v[4] = {
	    (int64_t)(clock_process() / (NSEC_PER_SEC / TICKS_PER_SEC))};

	if (buf && copy_out(buf, v, sizeof(v)))
		return -EFAULT;
	return (long)(clock_monotonic() / (NSEC_PER_SEC / TICKS_PER_SEC));
}

struct usage {
	struct timeval64 user, system;
	int64_t maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock,
	    oublock, msgsnd, msgrcv, nsignals, nvcsw, nivcsw;
};

static void usage_add(struct usage *u, const struct thread *t)
{
	u->nivcsw += t->switches[0];
	u->nvcsw += t->switches[1];
}

static void usage_of_threads(struct usage *u)
{
	struct thread *t;

	spin_lock(&threads_lock);
	list_for_each (t, &threads_all, all_node)
		if (!t->kernel_only)
			usage_add(u, t);
	spin_unlock(&threads_lock);
}

long kcall_getrusage(int who, void *user)
{
	enum { SELF = 0, CHILDREN = -1, THREAD = 1 };
	struct usage u = {0};
	uint64_t ns = 0;

	if (who == SELF) {
		usage_of_threads(&u);
		ns = clock_process();
	} else if (who == THREAD) {
		usage_add(&u, thread_current());
		ns = thread_cpu_time(thread_current());
	} else if (who != CHILDREN) {
		return -EINVAL;
	}
	if (who != CHILDREN)
		u.maxrss = (int64_t)((page_total() - page_available()) / KIB);
	u.user.sec = (int64_t)(ns / NSEC_PER_SEC);
	u.user.usec = (int64_t)(ns % NSEC_PER_SEC / 1000);
	return copy_out(user, &u, sizeof(u));
}

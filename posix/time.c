/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks, sleeping, and the real-time interval timer. */
#include <linux/time.h>
#include "kernel/mm/uaccess.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/mutex.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/thread.h"
#include "posix/calls.h"
#include "posix/time_convert.h"

#define TICKS_PER_SEC 100

struct timeval64 {
	int64_t sec, usec;
};

/* CPU time of the process: what all its threads have used. */
static uint64_t process_time(void)
{
	uint64_t sum = 0;
	struct thread *t;

	spin_lock(&threads_lock);
	list_for_each (t, &threads_all, all_node)
		if (!t->kernel_only)
			sum += t->run_ns;
	spin_unlock(&threads_lock);
	return sum + threads_dead_ns +
	       (clock_monotonic() - thread_current()->run_since);
}

static long clock_read(int id, uint64_t *ns)
{
	struct thread *t = thread_current();

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
		*ns = process_time();
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = t->run_ns + clock_monotonic() - t->run_since;
		return 0;
	}
	return -EINVAL;
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

long kcall_clock_settime(int id, const struct __kernel_timespec *ts)
{
	uint64_t ns;
	long err = timespec_import(ts, &ns);

	if (err)
		return err;
	if (id != CLOCK_REALTIME)
		return -EINVAL;
	clock_set_realtime(ns);
	return 0;
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

long kcall_time(int64_t *t)
{
	int64_t s = (int64_t)(clock_realtime() / NSEC_PER_SEC);

	if (t && put_user(t, s))
		return -EFAULT;
	return s;
}

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

long kcall_clock_nanosleep(int id, int flags,
    const struct __kernel_timespec *ts, struct __kernel_timespec *left)
{
	uint64_t ns, now;
	long err;

	if (id == CLOCK_THREAD_CPUTIME_ID)
		return -EINVAL;
	err = clock_read(id, &now);
	if (!err)
		err = timespec_import(ts, &ns);
	if (err)
		return err;
	if (!(flags & TIMER_ABSTIME))
		return sleep_relative(ns, left);
	return sleep_until(ns <= now ? 0 : deadline_after(ns - now));
}

/*
 * ITIMER_REAL; the others measure CPU time and are not offered.  A thread
 * waits for the deadline, since a signal can't be sent from an interrupt; it
 * is started with the first timer.
 */
static struct {
	struct mutex lock;
	struct waitq changed;
	uint64_t deadline, interval; /* [lock] deadline 0: not armed */
	uint32_t generation;         /* [lock] counts settings */
	bool running;                /* [lock] the thread */
} itimer = {
    .lock = MUTEX_INIT(itimer.lock), .changed = WAITQ_INIT(itimer.changed)};

/* If it is due, set it for the next time.  The deadline it then has. */
static uint64_t itimer_step(bool *due, uint32_t *generation)
{
	MUTEX_GUARD(&itimer.lock);
	*due = itimer.deadline && itimer.deadline <= clock_monotonic();
	if (*due)
		itimer.deadline =
		    itimer.interval ? itimer.deadline + itimer.interval : 0;
	*generation = itimer.generation;
	return itimer.deadline ? itimer.deadline : DEADLINE_NEVER;
}

static void itimer_thread(void *arg)
{
	struct signal_info info = {.code = SI_KERNEL_CODE};
	uint32_t generation;
	uint64_t deadline;
	bool due;

	(void)arg;
	for (;;) {
		deadline = itimer_step(&due, &generation);
		if (due)
			(void)signal_send_process(SIG_ALRM, &info);
		else
			(void)wait_event(&itimer.changed,
			    itimer.generation != generation, deadline, false);
	}
}

struct itimerval64 {
	struct timeval64 interval, value;
};

static struct itimerval64 itimer_state(void)
{
	uint64_t now = clock_monotonic();
	uint64_t left = itimer.deadline > now ? itimer.deadline - now : 0;
	uint64_t every = itimer.interval;

	return (struct itimerval64){
	    {(int64_t)(every / NSEC_PER_SEC),
		(int64_t)(every % NSEC_PER_SEC / 1000)},
	    {(int64_t)(left / NSEC_PER_SEC),
		(int64_t)(left % NSEC_PER_SEC / 1000)},
	};
}

static uint64_t ns_of(const struct timeval64 *v)
{
	return (uint64_t)v->sec * NSEC_PER_SEC + (uint64_t)v->usec * 1000;
}

static bool bad_timeval(const struct timeval64 *v)
{
	return v->sec < 0 || v->usec < 0 || v->usec >= 1000000 ||
	       v->sec >= SECONDS_MAX;
}

long kcall_getitimer(int which, struct itimerval64 *old)
{
	if (which != ITIMER_REAL)
		return -EINVAL;
	return put_user(old, itimer_state());
}

long kcall_setitimer(
    int which, const struct itimerval64 *new, struct itimerval64 *old)
{
	struct itimerval64 v = {{0, 0}, {0, 0}}, was;
	int err = 0;

	if (which != ITIMER_REAL)
		return -EINVAL;
	if (new &&copy_in(&v, new, sizeof(v)))
		return -EFAULT;
	if (bad_timeval(&v.interval) || bad_timeval(&v.value))
		return -EINVAL;
	mutex_lock(&itimer.lock);
	was = itimer_state();
	if (!itimer.running) {
		err = thread_spawn_kernel("itimer", itimer_thread, NULL);
		itimer.running = err == 0;
	}
	if (!err) {
		itimer.interval = ns_of(&v.interval);
		itimer.deadline =
		    ns_of(&v.value) ? clock_monotonic() + ns_of(&v.value) : 0;
		itimer.generation++;
	}
	mutex_unlock(&itimer.lock);
	waitq_wake_all(&itimer.changed, 0);
	if (err)
		return err;
	return old ? put_user(old, was) : 0;
}

long kcall_times(int64_t *buf)
{
	int64_t v[4] = {
	    (int64_t)(process_time() / (NSEC_PER_SEC / TICKS_PER_SEC))};

	if (buf && copy_out(buf, v, sizeof(v)))
		return -EFAULT;
	return (long)(clock_monotonic() / (NSEC_PER_SEC / TICKS_PER_SEC));
}

long kcall_getrusage(int who, void *user)
{
	struct {
		struct timeval64 user, system;
		int64_t other[14];
	} ru = {0};
	uint64_t ns = 0;

	if (who == 0 || who == 1)
		ns = who == 0 ? process_time()
			      : thread_current()->run_ns + clock_monotonic() -
				    thread_current()->run_since;
	else if (who != -1)
		return -EINVAL;
	ru.user.sec = (int64_t)(ns / NSEC_PER_SEC);
	ru.user.usec = (int64_t)(ns % NSEC_PER_SEC / 1000);
	return copy_out(user, &ru, sizeof(ru));
}

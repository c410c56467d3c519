/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers that send signals: timer_create(2), setitimer(2), alarm(2).
 *
 * Each is an alarm (kernel/sched/alarm.h) on one of the clocks.  A timer that
 * runs out while its signal is still pending counts an overrun.
 */
#include <linux/time.h>
#include "kernel/mm/kmem.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/alarm.h"
#include "kernel/sched/mutex.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/thread.h"
#include "posix/calls.h"
#include "posix/clock.h"
#include "posix/time_convert.h"

#define TIMERS_MAX 4096

enum { NOTIFY_SIGNAL, NOTIFY_NONE, NOTIFY_THREAD, NOTIFY_THREAD_ID = 4 };

/* Linux's struct sigevent. */
struct event {
	uint64_t value;
	int32_t signo, notify, tid;
	int32_t pad[11];
};
static_assert(sizeof(struct event) == 64, "Linux ABI");

/* [t] timers_lock, [i] immutable. */
struct timer_object {
	struct alarm alarm;
	int id, clock;          /* [i] */
	int notify, signo, tid; /* [i] */
	uint64_t value;         /* [i] sigev_value */
	int overrun;            /* [a] of the signal that was last taken */
};

static struct mutex timers_lock = MUTEX_INIT(timers_lock);
static struct spinlock slots_lock;   /* within signal.c's lock */
static struct timer_object **timers; /* [t, written with slots_lock] by id */
static unsigned timers_len;          /* [t, written with slots_lock] */

static uint64_t wall_now(const struct alarm *a)
{
	(void)a;
	return clock_realtime();
}

static uint64_t steady_now(const struct alarm *a)
{
	(void)a;
	return clock_monotonic();
}

/* A thread's clock stands still once the thread has gone. */
static uint64_t cpu_now(const struct alarm *a)
{
	struct timer_object *t = container_of(a, struct timer_object, alarm);
	uint64_t ns = 0;

	return clock_read(t->clock, &ns) ? 0 : ns;
}

/* Which thread gets the signal; 0: any. */
static int timer_thread(const struct timer_object *t)
{
	return t->notify == NOTIFY_THREAD_ID ? t->tid : 0;
}

static void timer_ran_out(struct alarm *a, uint64_t times)
{
	struct timer_object *t = container_of(a, struct timer_object, alarm);

	if (t->notify != NOTIFY_NONE)
		(void)signal_send_timer(
		    timer_thread(t), t->signo, t->id, t->value, times);
}

static void timer_taken(int id, int overrun)
{
	spin_lock(&slots_lock);
	if ((unsigned)id < timers_len && timers[id])
		timers[id]->overrun = overrun;
	spin_unlock(&slots_lock);
}

static void slot_set(int id, struct timer_object *t)
{
	unsigned long flags = spin_lock_irq(&slots_lock);

	timers[id] = t;
	spin_unlock_irq(&slots_lock, flags);
}

static bool bad_event(const struct event *e)
{
	bool known;

	switch (e->notify) {
	case NOTIFY_NONE:
		return false;
	case NOTIFY_THREAD_ID:
		spin_lock(&threads_lock);
		known = e->tid > 0 && thread_find_locked(e->tid);
		spin_unlock(&threads_lock);
		if (!known)
			return true;
		/* fall through */
	case NOTIFY_SIGNAL:
	case NOTIFY_THREAD:
		return e->signo < 1 || e->signo > SIGNALS;
	}
	return true;
}

/* Which clocks a timer may have; a thread's own CPU clock gets its name. */
static long clock_check(int *clock)
{
	uint64_t ns;

	switch (*clock) {
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
		return -EOPNOTSUPP;
	case CLOCK_THREAD_CPUTIME_ID:
		*clock = (int)((unsigned)~thread_current()->tid << 3) |
			 CLOCK_CPU_THREAD | 2;
		return 0;
	}
	return clock_read(*clock, &ns);
}

static int slot_locked(void)
{
	struct timer_object **more, **old;
	unsigned long flags;
	unsigned id, len;

	for (id = 0; id < timers_len; id++)
		if (!timers[id])
			return (int)id;
	len = timers_len ? timers_len * 2 : 16;
	if (len > TIMERS_MAX)
		return -EAGAIN;
	more = kzalloc(len * sizeof(*more));
	if (!more)
		return -EAGAIN;
	for (id = 0; id < timers_len; id++)
		more[id] = timers[id];
	old = timers;
	flags = spin_lock_irq(&slots_lock);
	timers = more;
	timers_len = len;
	spin_unlock_irq(&slots_lock, flags);
	kfree(old);
	return (int)id;
}

/* From here on others can find it. */
static long timer_add(struct timer_object *t, bool id_is_value)
{
	int id;

	MUTEX_GUARD(&timers_lock);
	signal_timer_taken = timer_taken;
	id = slot_locked();
	if (id < 0)
		return id;
	t->id = id;
	if (id_is_value)
		t->value = (uint64_t)id;
	slot_set(id, t);
	return id;
}

long kcall_timer_delete(int id);

long kcall_timer_create(int clock, const struct event *user, int *id_out)
{
	struct event e = {.notify = NOTIFY_SIGNAL, .signo = SIG_ALRM};
	struct timer_object *t;
	long err = clock_check(&clock), id;

	if (err)
		return err;
	if (user && copy_in(&e, user, sizeof(e)))
		return -EFAULT;
	if (user && bad_event(&e))
		return -EINVAL;
	t = kzalloc(sizeof(*t));
	if (!t)
		return -EAGAIN;
	t->clock = clock;
	t->notify = e.notify;
	t->signo = e.signo;
	t->tid = e.tid;
	t->value = e.value;
	t->alarm.fn = timer_ran_out;
	t->alarm.now = clock_is_cpu(clock) ? cpu_now : steady_now;
	t->alarm.cpu_time = clock_is_cpu(clock);
	id = timer_add(t, !user);
	if (id < 0) {
		kfree(t);
		return id;
	}
	if (put_user(id_out, (int)id)) {
		(void)kcall_timer_delete((int)id);
		return -EFAULT;
	}
	return 0;
}

static struct timer_object *find_locked(int id)
{
	return (unsigned)id < timers_len ? timers[id] : NULL;
}

struct itimerspec64 {
	struct __kernel_timespec interval, value;
};

static struct itimerspec64 spec_of(uint64_t left, uint64_t every)
{
	return (struct itimerspec64){timespec_of(every), timespec_of(left)};
}

static long spec_import(
    const struct itimerspec64 *user, uint64_t *value, uint64_t *interval)
{
	long err = timespec_import(&user->value, value);

	return err ? err : timespec_import(&user->interval, interval);
}

/* When a timer with this value runs out, in its clock's time; 0: never. */
static uint64_t due_of(struct timer_object *t, uint64_t value, bool absolute)
{
	bool wall = t->clock == CLOCK_REALTIME || t->clock == CLOCK_TAI;

	if (!t->alarm.cpu_time)
		t->alarm.now = absolute && wall ? wall_now : steady_now;
	if (!value || absolute)
		return value;
	return t->alarm.now(&t->alarm) + value;
}

long kcall_timer_settime(
    int id, int flags, const struct itimerspec64 *new, struct itimerspec64 *old)
{
	uint64_t value, interval, left, every, none;
	struct timer_object *t;
	long err;

	if (!new)
		return -EINVAL;
	err = spec_import(new, &value, &interval);
	if (err)
		return err;
	mutex_lock(&timers_lock);
	t = find_locked(id);
	err = t ? alarm_set(&t->alarm, 0, 0, &left, &every) : -EINVAL;
	if (!err)
		err = alarm_set(&t->alarm,
		    due_of(t, value, flags & TIMER_ABSTIME), interval, &none,
		    &none);
	if (t)
		t->overrun = 0;
	mutex_unlock(&timers_lock);
	if (err)
		return err;
	return old ? put_user(old, spec_of(left, every)) : 0;
}

long kcall_timer_gettime(int id, struct itimerspec64 *out)
{
	uint64_t left, every;
	struct timer_object *t;

	mutex_lock(&timers_lock);
	t = find_locked(id);
	if (t)
		alarm_get(&t->alarm, &left, &every);
	mutex_unlock(&timers_lock);
	return t ? put_user(out, spec_of(left, every)) : -EINVAL;
}

long kcall_timer_getoverrun(int id)
{
	struct timer_object *t;

	MUTEX_GUARD(&timers_lock);
	t = find_locked(id);
	return t ? t->overrun : -EINVAL;
}

long kcall_timer_delete(int id)
{
	uint64_t none;
	struct timer_object *t;

	mutex_lock(&timers_lock);
	t = find_locked(id);
	if (t) {
		(void)alarm_set(&t->alarm, 0, 0, &none, &none);
		signal_forget_timer(timer_thread(t), id);
		slot_set(id, NULL);
	}
	mutex_unlock(&timers_lock);
	kfree(t);
	return t ? 0 : -EINVAL;
}

/*
 * The interval timers.  All CPU time counts as the program's own, as there is
 * no system to spend any: VIRTUAL and PROF differ in their signal only.
 */
static void itimer_ran_out(struct alarm *a, uint64_t times);

static uint64_t process_now(const struct alarm *a)
{
	(void)a;
	return clock_process();
}

#define ITIMERS 3

static struct alarm itimers[ITIMERS] = {
    [ITIMER_REAL] = {.now = steady_now, .fn = itimer_ran_out},
    [ITIMER_VIRTUAL] = {.now = process_now,
	.fn = itimer_ran_out,
	.cpu_time = true},
    [ITIMER_PROF] = {.now = process_now,
	.fn = itimer_ran_out,
	.cpu_time = true},
};

static void itimer_ran_out(struct alarm *a, uint64_t times)
{
	static const int signals[] = {SIG_ALRM, SIG_VTALRM, SIG_PROF};
	struct signal_info info = {.code = SI_KERNEL_CODE};

	(void)times;
	(void)signal_send_process(signals[a - itimers], &info);
}

struct timeval64 {
	int64_t sec, usec;
};

struct itimerval64 {
	struct timeval64 interval, value;
};

/* A running timer never shows as 0, which would be a stopped one. */
static struct timeval64 timeval_of(uint64_t ns)
{
	uint64_t us = (ns + 999) / 1000;

	return (struct timeval64){
	    (int64_t)(us / 1000000), (int64_t)(us % 1000000)};
}

static bool bad_timeval(const struct timeval64 *v)
{
	return v->sec < 0 || v->usec < 0 || v->usec >= 1000000;
}

static uint64_t ns_of(const struct timeval64 *v)
{
	int64_t sec = min(v->sec, (int64_t)SECONDS_MAX / 4);

	return (uint64_t)sec * NSEC_PER_SEC + (uint64_t)v->usec * 1000;
}

static long put_itimer(struct itimerval64 *out, uint64_t left, uint64_t every)
{
	struct itimerval64 v = {timeval_of(every), timeval_of(left)};

	return put_user(out, v);
}

long kcall_getitimer(int which, struct itimerval64 *old)
{
	uint64_t left, every;

	if ((unsigned)which >= ITIMERS)
		return -EINVAL;
	alarm_get(&itimers[which], &left, &every);
	return put_itimer(old, left, every);
}

long kcall_setitimer(
    int which, const struct itimerval64 *new, struct itimerval64 *old)
{
	struct itimerval64 v = {{0, 0}, {0, 0}};
	uint64_t left, every, value;
	struct alarm *a;
	int err;

	if ((unsigned)which >= ITIMERS)
		return -EINVAL;
	if (new &&copy_in(&v, new, sizeof(v)))
		return -EFAULT;
	if (bad_timeval(&v.interval) || bad_timeval(&v.value))
		return -EINVAL;
	a = &itimers[which];
	value = ns_of(&v.value);
	err = alarm_set(a, value ? a->now(a) + value : 0,
	    value ? ns_of(&v.interval) : 0, &left, &every);
	if (err)
		return err;
	return old ? put_itimer(old, left, every) : 0;
}

long kcall_alarm(unsigned seconds)
{
	struct alarm *a = &itimers[ITIMER_REAL];
	uint64_t left, every;
	int err = alarm_set(a,
	    seconds ? a->now(a) + seconds * (uint64_t)NSEC_PER_SEC : 0, 0,
	    &left, &every);

	return err ? err : (long)((left + NSEC_PER_SEC - 1) / NSEC_PER_SEC);
}

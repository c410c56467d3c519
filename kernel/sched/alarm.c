/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Alarms; see alarm.h.
 *
 * They lie in one tree by the monotonic time at which each has to be looked
 * at.  For a steady clock that is when it is due.  CPU time can't run faster
 * than real time on all CPUs, so looking again after that part of what is
 * left can't be late by more than the shortest step.
 */
#include <linux/sched.h>
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/sched/alarm.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/mutex.h"
#include "kernel/sched/thread.h"

#define CPU_STEP_NS (4 * NSEC_PER_MSEC) /* as a Linux tick */
#define PACE_NS     (NSEC_PER_MSEC / 2) /* between looks at a fast timer */

static struct mutex alarm_lock = MUTEX_INIT(alarm_lock);
static struct treap alarms;                        /* [alarm_lock] */
static struct waitq changed = WAITQ_INIT(changed); /* there is news in: */
static uint32_t generation;                        /* [alarm_lock] */
static bool running;                               /* [alarm_lock] the thread */

struct waitq alarm_wall_clock_wait = WAITQ_INIT(alarm_wall_clock_wait);
uint32_t alarm_wall_clock_sets;

/* Look again no sooner than after `least` nanoseconds. */
static void plan_locked(struct alarm *a, uint64_t least)
{
	uint64_t now = a->now(a), left = a->due > now ? a->due - now : 0;
	uint64_t mono = clock_monotonic();

	if (left && a->cpu_time)
		left = max(left / cpus_online, (uint64_t)CPU_STEP_NS);
	left = max(left, least);
	treap_insert(
	    &alarms, &a->node, left < INT64_MAX ? mono + left : DEADLINE_NEVER);
	a->armed = true;
}

static void drop_locked(struct alarm *a)
{
	if (a->armed)
		treap_remove(&alarms, &a->node);
	a->armed = false;
}

static void look_locked(struct alarm *a)
{
	uint64_t now = a->now(a), times = 0;

	drop_locked(a);
	if (a->due <= now) {
		times = a->interval ? (now - a->due) / a->interval + 1 : 1;
		a->due += times * a->interval;
	}
	if (!times || a->interval)
		plan_locked(a, times && a->interval < PACE_NS ? PACE_NS : 0);
	if (times)
		a->fn(a, times);
}

/* Serve what is due; when to look again. */
static uint64_t serve(uint32_t *seen)
{
	struct treap_node *n;

	MUTEX_GUARD(&alarm_lock);
	while ((n = treap_first(&alarms)) && n->key <= clock_monotonic())
		look_locked(container_of(n, struct alarm, node));
	*seen = generation;
	return n ? n->key : DEADLINE_NEVER;
}

static void alarm_thread(void *arg)
{
	uint32_t seen;
	uint64_t next;

	(void)arg;
	for (;;) {
		next = serve(&seen);
		(void)wait_event(&changed,
		    __atomic_load_n(&generation, __ATOMIC_ACQUIRE) != seen,
		    next, false);
	}
}

static int start_locked(void)
{
	struct thread *t;

	if (running)
		return 0;
	t = thread_create("alarms", alarm_thread, NULL, 0);
	if (!t)
		return -ENOMEM;
	thread_set_policy(t, SCHED_FIFO, 99);
	thread_start(t);
	running = true;
	return 0;
}

static void state_locked(struct alarm *a, uint64_t *left, uint64_t *every)
{
	uint64_t now = a->now(a);

	*every = a->interval;
	*left = !a->armed ? 0 : a->due > now ? a->due - now : 1;
}

static void news_locked(void)
{
	__atomic_add_fetch(&generation, 1, __ATOMIC_RELEASE);
	waitq_wake_all(&changed, 0);
}

int alarm_set(struct alarm *a, uint64_t due, uint64_t interval, uint64_t *left,
    uint64_t *every)
{
	int err;

	MUTEX_GUARD(&alarm_lock);
	state_locked(a, left, every);
	err = due ? start_locked() : 0;
	if (err)
		return err;
	drop_locked(a);
	a->due = due;
	a->interval = interval;
	if (due) {
		plan_locked(a, 0);
		if (treap_first(&alarms) == &a->node)
			news_locked();
	}
	return 0;
}

void alarm_get(struct alarm *a, uint64_t *left, uint64_t *every)
{
	MUTEX_GUARD(&alarm_lock);
	state_locked(a, left, every);
}

void alarm_set_wall_clock(uint64_t ns)
{
	struct treap old;
	struct treap_node *n;

	MUTEX_GUARD(&alarm_lock);
	clock_set_realtime(ns);
	old = alarms;
	alarms = (struct treap){NULL};
	while ((n = treap_first(&old))) {
		treap_remove(&old, n);
		plan_locked(container_of(n, struct alarm, node), 0);
	}
	news_locked();
	__atomic_add_fetch(&alarm_wall_clock_sets, 1, __ATOMIC_RELEASE);
	waitq_wake_all(&alarm_wall_clock_wait, 0);
}

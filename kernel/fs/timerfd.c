/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers as files, timerfd_create(2).
 *
 * How often one has run out is computed when somebody asks, from the time
 * that it is; the kernel timer behind it only wakes who waits.  A setting of
 * the wall clock wakes them too: they look again and re-arm.
 */
#include <asm/stat.h>
#include <linux/fcntl.h>
#include "kernel/fs/timerfd.h"
#include "kernel/fs/file.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/alarm.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/thread.h"
#include "kernel/sched/timer.h"

struct timerfd {
	struct spinlock lock;
	int clock;                /* [i] CLOCK_* */
	struct timerfd_setting s; /* [lock] */
	uint32_t sets;            /* [lock] clock settings seen when armed */
	struct timer timer;
	struct waitq wait;
};

static uint64_t now_of(const struct timerfd *t)
{
	return t->s.wall ? clock_realtime() : clock_monotonic();
}

/* Wake waiters when it is due next: at once if that has come since the caller
 * looked.  [lock] with interrupts off. */
static void arm_locked(struct timerfd *t)
{
	uint64_t now = now_of(t);
	uint64_t left = t->s.due > now ? t->s.due - now : 0;

	timer_cancel(&t->timer);
	if (t->s.due && left < INT64_MAX)
		timer_set(&t->timer, clock_monotonic() + left);
}

/* In interrupt context. */
static void ran_out(struct timer *timer)
{
	struct timerfd *t = container_of(timer, struct timerfd, timer);

	waitq_wake_all(&t->wait, POLL_IN);
}

static uint64_t expirations_locked(const struct timerfd *t)
{
	uint64_t now = now_of(t);

	if (!t->s.due || t->s.due > now)
		return 0;
	return t->s.interval ? (now - t->s.due) / t->s.interval + 1 : 1;
}

/* A reader that asked to be told has missed a setting of the clock. */
static bool canceled_locked(const struct timerfd *t)
{
	return t->s.cancel && t->s.wall &&
	       t->sets !=
		   __atomic_load_n(&alarm_wall_clock_sets, __ATOMIC_ACQUIRE);
}

/* How often it ran out since it was last taken; -ECANCELED. */
static int64_t take(struct timerfd *t)
{
	unsigned long flags = spin_lock_irq(&t->lock);
	int64_t n = (int64_t)expirations_locked(t);

	if (canceled_locked(t)) {
		t->sets = alarm_wall_clock_sets;
		n = -ECANCELED;
	} else if (n) {
		t->s.due =
		    t->s.interval ? t->s.due + (uint64_t)n * t->s.interval : 0;
	}
	arm_locked(t);
	spin_unlock_irq(&t->lock, flags);
	return n;
}

static bool ready(struct timerfd *t)
{
	unsigned long flags = spin_lock_irq(&t->lock);
	bool yes = expirations_locked(t) || canceled_locked(t);

	spin_unlock_irq(&t->lock, flags);
	return yes;
}

/* Wait for the timer, or for news of the clock that it runs by. */
static int wait_for_it(struct timerfd *t)
{
	struct waiter own, wall;
	int err = 0;

	waiter_init(&own);
	waiter_init(&wall);
	waitq_add(&t->wait, &own);
	waitq_add(&alarm_wall_clock_wait, &wall);
	if (!ready(t))
		err = thread_sleep(DEADLINE_NEVER, true);
	waitq_remove(&alarm_wall_clock_wait, &wall);
	waitq_remove(&t->wait, &own);
	return err;
}

static ssize_t timerfd_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	struct timerfd *t = f->priv;
	int64_t n;
	ssize_t r;

	(void)pos;
	if (it->left < sizeof(n))
		return -EINVAL;
	while (!(n = take(t))) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		r = wait_for_it(t);
		if (r)
			return r;
	}
	if (n < 0)
		return n;
	r = iter_out(it, &n, sizeof(n));
	return r < 0 ? r : (ssize_t)sizeof(n);
}

static unsigned timerfd_poll(struct file *f, struct poll_table *pt)
{
	struct timerfd *t = f->priv;
	unsigned long flags;

	poll_add(pt, &t->wait);
	poll_add(pt, &alarm_wall_clock_wait);
	if (ready(t))
		return POLL_IN;
	flags = spin_lock_irq(&t->lock);
	arm_locked(t); /* the clock may have been set */
	spin_unlock_irq(&t->lock, flags);
	return 0;
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->priv;

	timer_cancel(&t->timer);
	kfree(t);
}

static const struct file_ops timerfd_ops = {
    .read = timerfd_read,
    .write = file_no_write,
    .seek = file_noop_seek,
    .poll = timerfd_poll,
    .ioctl = file_no_ioctl,
    .stat = file_anonymous_stat,
    .mmap = file_no_mmap,
    .flush = file_no_flush,
    .fsync = file_no_fsync,
    .release = timerfd_release,
};

struct file *timerfd_create(int clock, unsigned flags)
{
	struct timerfd *t = kzalloc(sizeof(*t));
	struct file *f = t ? file_alloc(&timerfd_ops, O_RDWR | flags) : NULL;

	if (!f) {
		kfree(t);
		return NULL;
	}
	t->clock = clock;
	timer_init(&t->timer, ran_out);
	waitq_init(&t->wait);
	f->priv = t;
	return f;
}

int timerfd_clock(const struct file *f)
{
	const struct timerfd *t = f->priv;

	return f->ops == &timerfd_ops ? t->clock : -EINVAL;
}

static void state_locked(
    const struct timerfd *t, uint64_t *left, uint64_t *every)
{
	uint64_t now = now_of(t), n = expirations_locked(t);
	uint64_t next = t->s.due + n * t->s.interval;

	*every = t->s.interval;
	*left = !t->s.due || next <= now ? 0 : next - now;
}

void timerfd_set(struct file *f, const struct timerfd_setting *s,
    uint64_t *left, uint64_t *every)
{
	struct timerfd *t = f->priv;
	unsigned long flags = spin_lock_irq(&t->lock);

	state_locked(t, left, every);
	t->s = *s;
	t->sets = __atomic_load_n(&alarm_wall_clock_sets, __ATOMIC_ACQUIRE);
	arm_locked(t);
	spin_unlock_irq(&t->lock, flags);
}

void timerfd_get(struct file *f, uint64_t *left, uint64_t *every)
{
	struct timerfd *t = f->priv;
	unsigned long flags = spin_lock_irq(&t->lock);

	state_locked(t, left, every);
	spin_unlock_irq(&t->lock, flags);
}

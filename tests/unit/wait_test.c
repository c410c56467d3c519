/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for a condition: when a thread sleeps, and that it never does after
 * a wake-up, whatever the condition itself does meanwhile. */
#include "tests/unit/cmocka.h"
#include <stdbool.h>

struct thread {
	bool wake_pending;
};

/* In place of the CPU's and the scheduler's. */
#define TORIL_KERNEL_ARCH_X86_64_CPU_H
#define TORIL_KERNEL_SCHED_THREAD_H
static struct thread self;

static struct thread *thread_current(void)
{
	return &self;
}

static void thread_wake(struct thread *t)
{
	t->wake_pending = true;
}

static int wakes; /* begun and not ended */

static void thread_wakes_begin(void)
{
	wakes++;
}

static void thread_wakes_end(void)
{
	wakes--;
}

static void thread_handover_begin(void)
{
}

static void thread_handover_end(void)
{
}

static void cpu_irq_restore(unsigned long flags)
{
	(void)flags;
}

#include "kernel/sched/wait.c"

static struct waitq queue;
static int sleeps, looks, in_vain;
static bool holds;

void spin_lock(struct spinlock *l)
{
	assert_false(l->locked);
	l->locked = 1;
}

unsigned long spin_lock_irq(struct spinlock *l)
{
	spin_lock(l);
	return 0;
}

void spin_unlock(struct spinlock *l)
{
	l->locked = 0;
}

void spin_unlock_irq(struct spinlock *l, unsigned long flags)
{
	(void)flags;
	spin_unlock(l);
}

/* The condition comes true while the thread sleeps, if it has not been woken
 * in vain so often.  Nobody may sleep once it holds, or without being woken. */
int thread_sleep(uint64_t deadline, bool interruptible)
{
	(void)deadline, (void)interruptible;
	sleeps++;
	assert_int_equal(wakes, 0);
	if (!self.wake_pending) {
		assert_false(holds);
		assert_false(waitq_empty(&queue));
		holds = !in_vain;
		in_vain -= in_vain > 0;
		waitq_wake_all(&queue, 0);
	}
	self.wake_pending = false;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	waitq_init(&queue);
	sleeps = looks = in_vain = 0;
	self.wake_pending = false;
	holds = false;
	return 0;
}

static void is_true_at_once(void **state)
{
	(void)state;
	holds = true;
	assert_int_equal(wait_event(&queue, holds, DEADLINE_NEVER, false), 0);
	assert_int_equal(sleeps, 0);
	assert_true(waitq_empty(&queue));
}

static void comes_true_in_the_sleep(void **state)
{
	(void)state;
	assert_int_equal(wait_event(&queue, holds, DEADLINE_NEVER, false), 0);
	assert_int_equal(sleeps, 1);
	assert_true(waitq_empty(&queue));
}

/* It comes true just after the second look. */
static bool late(void)
{
	bool was = holds;

	if (++looks == 2) {
		holds = true;
		waitq_wake_all(&queue, 0);
	}
	return was;
}

static void comes_true_between_look_and_sleep(void **state)
{
	(void)state;
	assert_int_equal(wait_event(&queue, late(), DEADLINE_NEVER, false), 0);
	assert_true(waitq_empty(&queue));
}

/* The same, and then the condition itself sleeps, for a mutex perhaps. */
static bool late_and_sleeps(void)
{
	bool was = late();

	if (self.wake_pending)
		thread_sleep(DEADLINE_NEVER, false);
	return was;
}

static void comes_true_before_the_condition_sleeps(void **state)
{
	(void)state;
	assert_int_equal(
	    wait_event(&queue, late_and_sleeps(), DEADLINE_NEVER, false), 0);
	assert_true(waitq_empty(&queue));
}

static void woken_in_vain(void **state)
{
	(void)state;
	in_vain = 2;
	assert_int_equal(wait_event(&queue, holds, DEADLINE_NEVER, false), 0);
	assert_int_equal(sleeps, 3);
	assert_true(waitq_empty(&queue));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(is_true_at_once, setup),
	    cmocka_unit_test_setup(comes_true_in_the_sleep, setup),
	    cmocka_unit_test_setup(comes_true_between_look_and_sleep, setup),
	    cmocka_unit_test_setup(
		comes_true_before_the_condition_sleeps, setup),
	    cmocka_unit_test_setup(woken_in_vain, setup),
	};

	return RUN_TAP(tests);
}

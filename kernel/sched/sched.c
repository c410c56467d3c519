/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler: run queues, switching, sleeping and waking.
 *
 * Each CPU has a queue of runnable threads served in turn, SLICE_NS each.
 * There is no tick: a slice timer runs only while somebody waits for the CPU.
 * A switch happens under the run queue's lock, which the thread that is
 * switched to releases; so nobody can wake a thread that is still leaving.
 */
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/vm.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/thread.h"

#define SLICE_NS (10 * NSEC_PER_MSEC)

void thread_switch(uintptr_t *save_sp, uintptr_t load_sp);
void thread_free(struct thread *t);

static struct timer slice_timer; /* one per CPU once there are several */

struct thread *thread_current(void)
{
	struct thread *t;

	__asm__ volatile("mov %%gs:8, %0" : "=r"(t));
	return t;
}

static void slice_over(struct timer *timer)
{
	(void)timer;
	if (cpu_self()->rq_len)
		cpu_self()->work |= CPU_WORK_RESCHED;
}

static void enqueue_locked(struct cpu *c, struct thread *t)
{
	t->state = THREAD_RUNNABLE;
	list_push_back(&c->rq, &t->run_node);
	c->rq_len++;
}

static struct thread *pick_locked(struct cpu *c)
{
	struct thread *t;

	if (!c->rq_len)
		return c->idle;
	t = list_first(&c->rq, struct thread, run_node);
	list_remove(&t->run_node);
	c->rq_len--;
	return t;
}

/* After a switch, on the new thread's stack: release what the old one held. */
static void switch_finish(void)
{
	struct cpu *c = cpu_self();
	struct thread *dead = c->reap;

	c->reap = NULL;
	spin_unlock(&c->rq_lock);
	if (dead)
		thread_free(dead);
}

static void account(struct thread *prev, struct thread *next)
{
	uint64_t now = clock_monotonic();

	prev->run_ns += now - prev->run_since;
	next->run_since = now;
}

static void switch_to_locked(struct cpu *c, struct thread *next)
{
	struct thread *prev = c->current;

	account(prev, next);
	next->state = THREAD_RUNNING;
	next->cpu = c;
	if (prev->vectors_live)
		fpu_save(prev->xsave);
	if (prev->state == THREAD_DEAD)
		c->reap = prev;
	c->current = next;
	c->kstack_top = next->kstack_top;
	c->work = next->signal_work ? CPU_WORK_SIGNAL : 0;
	if (next->fs_base)
		cpu_set_fs_base(next->fs_base);
	thread_switch(&prev->ksp, next->ksp);
	switch_finish();
	if (prev->vectors_live)
		fpu_restore(prev->xsave);
}

/* Give up the CPU; the caller has set its thread's state.  The run queue's
 * lock is held and interrupts are off, as they are on return without it. */
static void schedule_locked(struct cpu *c)
{
	struct thread *prev = c->current, *next;

	assert(c->depth == 1);
	if (prev->state == THREAD_RUNNING && prev != c->idle)
		enqueue_locked(c, prev);
	next = pick_locked(c);
	if (next == prev) {
		prev->state = THREAD_RUNNING;
		c->work &= ~CPU_WORK_RESCHED;
		spin_unlock(&c->rq_lock);
		return;
	}
	if (c->rq_len && !slice_timer.armed)
		timer_set(&slice_timer, clock_monotonic() + SLICE_NS);
	switch_to_locked(c, next);
}

/* First code of every thread, called by thread_first. */
noreturn void thread_enter_program(void (*fn)(void *), void *arg, uintptr_t sp);
noreturn void thread_begin(struct thread *t);

noreturn void thread_begin(struct thread *t)
{
	switch_finish();
	cpu_irq_on();
	if (t->entry_sp)
		thread_enter_program(t->entry, t->entry_arg, t->entry_sp);
	t->entry(t->entry_arg);
	thread_exit();
}

void thread_wake(struct thread *t)
{
	unsigned long flags = cpu_irq_save();
	struct cpu *c = t->cpu;

	spin_lock(&c->rq_lock);
	if (t->state == THREAD_SLEEPING) {
		enqueue_locked(c, t);
		if (c->current != c->idle && !slice_timer.armed)
			timer_set(&slice_timer, clock_monotonic() + SLICE_NS);
	} else {
		t->wake_pending = 1;
	}
	spin_unlock_irq(&c->rq_lock, flags);
}

void thread_start(struct thread *t)
{
	unsigned long flags = cpu_irq_save();
	struct cpu *c = cpu_self();

	t->cpu = c;
	spin_lock(&c->rq_lock);
	enqueue_locked(c, t);
	if (c->current != c->idle && !slice_timer.armed)
		timer_set(&slice_timer, clock_monotonic() + SLICE_NS);
	spin_unlock_irq(&c->rq_lock, flags);
}

static void sleep_over(struct timer *timer)
{
	thread_wake(container_of(timer, struct thread, sleep_timer));
}

int thread_sleep(uint64_t deadline, bool interruptible)
{
	struct thread *t = thread_current();
	unsigned long flags;

	if (interruptible && signal_interrupts(t)) {
		/* The way out has to look at this result. */
		__atomic_or_fetch(
		    &cpu_self()->work, CPU_WORK_SIGNAL, __ATOMIC_SEQ_CST);
		return -ERESTARTSYS;
	}
	if (deadline != DEADLINE_NEVER) {
		if (deadline <= clock_monotonic())
			return -ETIMEDOUT;
		t->sleep_timer.fn = sleep_over;
		timer_set(&t->sleep_timer, deadline);
	}
	flags = spin_lock_irq(&t->cpu->rq_lock);
	if (t->wake_pending) {
		spin_unlock(&t->cpu->rq_lock);
	} else {
		t->state = THREAD_SLEEPING;
		schedule_locked(t->cpu);
	}
	t->wake_pending = 0;
	cpu_irq_restore(flags);
	if (deadline != DEADLINE_NEVER)
		timer_cancel(&t->sleep_timer);
	return 0;
}

void thread_yield(void)
{
	unsigned long flags = cpu_irq_save();
	struct cpu *c = cpu_self();

	spin_lock(&c->rq_lock);
	schedule_locked(c);
	cpu_irq_restore(flags);
}

/* From the trap dispatcher: interrupts are off. */
void thread_preempt(void)
{
	struct cpu *c = cpu_self();

	spin_lock(&c->rq_lock);
	schedule_locked(c);
}

noreturn void thread_exit(void)
{
	struct thread *t = thread_current();

	spin_lock(&threads_lock);
	list_remove(&t->all_node);
	threads_dead_ns += t->run_ns;
	spin_unlock(&threads_lock);
	cpu_irq_off();
	spin_lock(&t->cpu->rq_lock);
	t->state = THREAD_DEAD;
	t->vectors_live = false;
	schedule_locked(t->cpu);
	panic("a dead thread was scheduled");
}

void sched_init(void)
{
	struct cpu *c = cpu_self();

	timer_init(&slice_timer, slice_over);
	c->idle = kzalloc(sizeof(*c->idle));
	assert(c->idle);
	c->idle->state = THREAD_RUNNING;
	c->idle->cpu = c;
	c->idle->kernel_only = true;
	c->idle->kstack_top = c->kstack_top;
	list_init(&c->idle->all_node);
	memcpy(c->idle->name, "idle", 5);
	c->current = c->idle;
}

noreturn void sched_idle(void)
{
	struct cpu *c = cpu_self();

	for (;;) {
		cpu_irq_off();
		if (c->rq_len) {
			spin_lock(&c->rq_lock);
			schedule_locked(c);
		} else {
			cpu_halt();
		}
	}
}

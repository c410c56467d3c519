/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler: run queues, switching, sleeping and waking.
 *
 * Each CPU has a queue of runnable threads, by priority and then by age.
 * Threads of one priority are served in turn, a time slice each.  There is no
 * tick: a slice timer runs only while somebody waits for the CPU.
 * A switch happens under the run queue's lock, which the thread that is
 * switched to releases; so nobody can wake a thread that is still leaving.
 */
#include <linux/sched.h>
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

/* Nice values as on Linux: a step is a factor of 1.25 in CPU time.  The slice
 * is kept within 1 ms and 100 ms. */
uint64_t thread_slice(const struct thread *t)
{
	uint64_t ns = SLICE_NS;

	for (int n = 0; n < t->nice; n++)
		ns = ns * 4 / 5;
	for (int n = 0; n > t->nice; n--)
		ns = ns * 5 / 4;
	return min(max(ns, SLICE_NS / 10), 10 * SLICE_NS);
}

static void slice_over(struct timer *timer)
{
	struct cpu *c = cpu_self();
	struct thread *t = c->current;
	uint64_t end = t->run_since + thread_slice(t);

	if (!c->rq_len || t->policy == SCHED_FIFO)
		return;
	if (end > clock_monotonic())
		timer_set(timer, end); /* its slice began later */
	else
		c->work |= CPU_WORK_RESCHED;
}

/* Behind those of its priority, or before them. */
static void enqueue_locked(struct cpu *c, struct thread *t, bool first)
{
	struct list *at = c->rq.prev;

	while (at != &c->rq) {
		struct thread *o = container_of(at, struct thread, run_node);
		if (first ? o->prio > t->prio : o->prio >= t->prio)
			break;
		at = at->prev;
	}
	t->state = THREAD_RUNNABLE;
	list_push_front(at, &t->run_node);
	c->rq_len++;
}

/* A thread has become runnable: does it have to run now? */
static void consider_locked(struct cpu *c, struct thread *t)
{
	if (c->current == c->idle)
		return;
	if (t->prio > c->current->prio)
		__atomic_or_fetch(&c->work, CPU_WORK_RESCHED, __ATOMIC_SEQ_CST);
	else if (!slice_timer.armed)
		timer_set(
		    &slice_timer, clock_monotonic() + thread_slice(c->current));
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

/* Give up the CPU; the caller has set its thread's state.  One that was
 * pre-empted by a higher priority stays before its equals.  The run queue's
 * lock is held and interrupts are off, as they are on return without it. */
static void schedule_locked(struct cpu *c, bool preempted)
{
	struct thread *prev = c->current, *next;

	assert(c->depth == 1);
	if (prev->state == THREAD_RUNNING && prev != c->idle)
		enqueue_locked(c, prev, preempted);
	prev->switches[preempted ? 0 : 1]++;
	next = pick_locked(c);
	if (next == prev) {
		prev->state = THREAD_RUNNING;
		c->work &= ~CPU_WORK_RESCHED;
		spin_unlock(&c->rq_lock);
		return;
	}
	if (c->rq_len && !slice_timer.armed)
		timer_set(&slice_timer, clock_monotonic() + thread_slice(next));
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
		enqueue_locked(c, t, false);
		consider_locked(c, t);
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
	enqueue_locked(c, t, false);
	consider_locked(c, t);
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

	lockdep_sleeps();
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
		schedule_locked(t->cpu, false);
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
	schedule_locked(c, false);
	cpu_irq_restore(flags);
}

/* From the trap dispatcher: interrupts are off. */
void thread_preempt(void)
{
	struct cpu *c = cpu_self();
	struct thread *first;

	spin_lock(&c->rq_lock);
	first = list_first(&c->rq, struct thread, run_node);
	if (c->rq_len && first->prio < c->current->prio) {
		c->work &= ~CPU_WORK_RESCHED;
		spin_unlock(&c->rq_lock);
		return;
	}
	schedule_locked(c, c->rq_len && first->prio > c->current->prio);
}

static void prio_set_locked(struct thread *t, int prio)
{
	struct cpu *c = t->cpu;
	bool queued = c && t->state == THREAD_RUNNABLE;

	if (t->prio == prio)
		return;
	if (queued) {
		list_remove(&t->run_node);
		c->rq_len--;
	}
	t->prio = (int8_t)prio;
	if (queued) {
		enqueue_locked(c, t, false);
		consider_locked(c, t);
	} else if (c && c->current == t && c->rq_len) {
		__atomic_or_fetch(&c->work, CPU_WORK_RESCHED, __ATOMIC_SEQ_CST);
	}
}

/* The run queue that t belongs to, or will. */
static struct cpu *home(struct thread *t)
{
	return t->cpu ? t->cpu : cpu_self();
}

void thread_set_policy(struct thread *t, int policy, int prio)
{
	unsigned long flags = spin_lock_irq(&home(t)->rq_lock);
	int base = policy == SCHED_IDLE ? -1 : prio;
	bool inherited = t->prio > t->base_prio && t->prio > base;

	t->policy = (uint8_t)policy;
	t->base_prio = (int8_t)base;
	prio_set_locked(t, inherited ? t->prio : base);
	spin_unlock_irq(&home(t)->rq_lock, flags);
}

void thread_set_nice(struct thread *t, int nice)
{
	t->nice = (int8_t)nice;
}

void thread_set_inherited(struct thread *t, int prio)
{
	unsigned long flags = spin_lock_irq(&home(t)->rq_lock);

	prio_set_locked(t, max(prio, (int)t->base_prio));
	spin_unlock_irq(&home(t)->rq_lock, flags);
}

uint64_t thread_cpu_time(const struct thread *t)
{
	bool running = t->state == THREAD_RUNNING;

	return t->run_ns + (running ? clock_monotonic() - t->run_since : 0);
}

noreturn void thread_exit(void)
{
	struct thread *t = thread_current();

	spin_lock(&threads_lock);
	list_remove(&t->all_node);
	threads_dead_ns += thread_cpu_time(t);
	spin_unlock(&threads_lock);
	cpu_irq_off();
	spin_lock(&t->cpu->rq_lock);
	t->state = THREAD_DEAD;
	t->vectors_live = false;
	schedule_locked(t->cpu, false);
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
			schedule_locked(c, false);
		} else {
			cpu_halt();
		}
	}
}

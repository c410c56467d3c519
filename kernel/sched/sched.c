/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler: run queues, switching, sleeping and waking.
 *
 * Each CPU has a queue of runnable threads, by priority and then by age.
 * Threads of one priority are served in turn, a time slice each.  There is no
 * tick: a slice timer runs only while somebody waits for the CPU.
 * A switch happens under the run queue's lock, which the thread that is
 * switched to releases; so nobody can wake a thread that is still leaving.
 * Which CPU a thread goes to is place.c's to say.
 */
#include <linux/sched.h>
#include "kernel/sched/sched_internal.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/vm.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/events.h"

#define SLICE_NS (10 * NSEC_PER_MSEC)

void thread_switch(uintptr_t *save_sp, uintptr_t load_sp);
void thread_free(struct thread *t);

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

	/* The timer is seen to be off before the queue is looked at: as
	 * rq_consider_locked does it the other way round, one of both acts. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!c->rq_len || t->policy == SCHED_FIFO)
		return;
	if (end > clock_monotonic())
		timer_set(timer, end); /* its slice began later */
	else
		work_add(c, CPU_WORK_RESCHED);
}

void rq_insert_locked(struct cpu *c, struct thread *t, bool first)
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
	if (t->prio > 0)
		place_realtime_waits(1);
	c->rq_prio = list_first(&c->rq, struct thread, run_node)->prio;
}

void rq_remove_locked(struct cpu *c, struct thread *t)
{
	list_remove(&t->run_node);
	c->rq_len--;
	if (t->prio > 0)
		place_realtime_waits(-1);
	c->rq_prio =
	    (int8_t)(c->rq_len
			 ? list_first(&c->rq, struct thread, run_node)->prio
			 : PRIO_NONE);
}

/* Others wait for this CPU: its slice ends, at once if it has had that long
 * while nobody waited. */
static void slice_arm(struct cpu *c)
{
	uint64_t end = c->current->run_since + thread_slice(c->current);

	if (c->slice_timer.armed || c->current->policy == SCHED_FIFO)
		return;
	if (end > clock_monotonic())
		timer_set(&c->slice_timer, end);
	else
		work_add(c, CPU_WORK_RESCHED);
}

bool rq_consider_locked(struct cpu *c, struct thread *t)
{
	bool here = c == cpu_self();

	if (c->current == c->idle)
		return !here;
	if (t->prio > c->current->prio) {
		work_add(c, CPU_WORK_RESCHED);
	} else if (here) {
		slice_arm(c);
	} else {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (c->slice_timer.armed)
			return false;
	}
	return !here;
}

void sched_interrupt(void)
{
	struct cpu *c = cpu_self();

	if (c->rq_len && c->current != c->idle)
		slice_arm(c);
}

static struct thread *pick_locked(struct cpu *c)
{
	struct thread *t;

	if (!c->rq_len)
		return c->idle;
	t = list_first(&c->rq, struct thread, run_node);
	rq_remove_locked(c, t);
	return t;
}

/* After a switch, on the new thread's stack: release what the old one held. */
static void switch_finish(void)
{
	struct cpu *c = cpu_self();
	struct thread *dead = c->reap, *away = c->handoff;
	struct cpu *to = c->handoff_to;

	c->reap = NULL;
	c->handoff = NULL;
	spin_unlock(&c->rq_lock);
	if (dead)
		thread_free(dead);
	if (away)
		thread_place(away, to);
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
	c->switches++;
	event(EVENT_SWITCH, (uint32_t)next->tid);
	next->state = THREAD_RUNNING;
	next->cpu = c;
	if (prev->vectors_live)
		fpu_save(prev->xsave);
	if (prev->state == THREAD_DEAD)
		c->reap = prev;
	c->current = next;
	c->kstack_top = next->kstack_top;
	/* Who has news for a thread tells its CPU under this lock. */
	work_set(c, next->signal_work ? CPU_WORK_SIGNAL : 0);
	if (next->fs_base)
		cpu_set_fs_base(next->fs_base);
	thread_switch(&prev->ksp, next->ksp);
	switch_finish();
	if (prev->vectors_live)
		fpu_restore(prev->xsave);
}

static void requeue_locked(struct cpu *c, struct thread *prev, bool preempted)
{
	struct thread *away =
	    place_elsewhere_locked(c, prev, preempted, &c->handoff_to);

	if (away && away != prev)
		rq_remove_locked(c, away);
	if (away != prev)
		rq_insert_locked(c, prev, preempted);
	if (away)
		away->state = THREAD_MOVING;
	c->handoff = away;
}

/* Give up the CPU; the caller has set its thread's state.  One that was
 * pre-empted by a higher priority stays before its equals.  The run queue's
 * lock is held and interrupts are off, as they are on return without it. */
static void schedule_locked(struct cpu *c, bool preempted)
{
	struct thread *prev = c->current, *next;

	assert(c->depth == 1);
	if (prev->state == THREAD_RUNNING && prev != c->idle)
		requeue_locked(c, prev, preempted);
	prev->switches[preempted ? 0 : 1]++;
	if (cpus_online > 1)
		place_pull_locked(c);
	next = pick_locked(c);
	if (next == prev) {
		prev->state = THREAD_RUNNING;
		work_remove(c, CPU_WORK_RESCHED);
		switch_finish();
		return;
	}
	if (c->rq_len && !c->slice_timer.armed)
		timer_set(
		    &c->slice_timer, clock_monotonic() + thread_slice(next));
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

struct cpu *rq_lock_of(struct thread *t)
{
	for (;;) {
		struct cpu *c = __atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE);
		spin_lock(&c->rq_lock);
		if (t->cpu == c)
			return c;
		spin_unlock(&c->rq_lock); /* it has moved meanwhile */
	}
}

void thread_wake(struct thread *t)
{
	unsigned long flags = cpu_irq_save();
	struct cpu *c = rq_lock_of(t);

	if (t->state == THREAD_SLEEPING) {
		event(EVENT_WAKE, (uint32_t)t->tid);
		t->state = THREAD_MOVING;
		thread_place_locked(t, c, NULL);
	} else {
		t->wake_pending = 1;
		spin_unlock(&c->rq_lock);
	}
	cpu_irq_restore(flags);
}

void thread_notice(struct thread *t)
{
	unsigned long flags = cpu_irq_save();
	struct cpu *c;

	__atomic_store_n(&t->signal_work, 1, __ATOMIC_SEQ_CST);
	c = rq_lock_of(t);
	if (c->current == t) {
		work_add(c, CPU_WORK_SIGNAL);
		if (c != cpu_self())
			cpu_interrupt(c, IRQ_RESCHED);
	}
	spin_unlock_irq(&c->rq_lock, flags);
	thread_wake(t);
}

void thread_start(struct thread *t)
{
	unsigned long flags = cpu_irq_save();

	t->state = THREAD_MOVING;
	thread_place(t, NULL);
	cpu_irq_restore(flags);
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
		work_add(cpu_self(), CPU_WORK_SIGNAL);
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
	/* What the caller tests next is read after this, on all CPUs: else the
	 * wake-up of a change that it did not see would be forgotten. */
	if (__atomic_load_n(&t->wake_pending, __ATOMIC_RELAXED))
		(void)__atomic_exchange_n(
		    &t->wake_pending, 0, __ATOMIC_SEQ_CST);
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

	spin_lock(&c->rq_lock);
	if (c->rq_len && c->rq_prio < c->current->prio &&
	    cpumask_has(&c->current->affinity, c->id)) {
		work_remove(c, CPU_WORK_RESCHED);
		spin_unlock(&c->rq_lock);
		return;
	}
	schedule_locked(c, c->rq_len && c->rq_prio > c->current->prio);
}

static void prio_set_locked(struct cpu *c, struct thread *t, int prio)
{
	bool queued = t->state == THREAD_RUNNABLE;

	if (t->prio == prio)
		return;
	if (queued)
		rq_remove_locked(c, t);
	t->prio = (int8_t)prio;
	if (queued) {
		rq_insert_locked(c, t, false);
		if (rq_consider_locked(c, t))
			cpu_interrupt(c, IRQ_RESCHED);
	} else if (c->current == t && c->rq_len) {
		work_add(c, CPU_WORK_RESCHED);
		if (c != cpu_self())
			cpu_interrupt(c, IRQ_RESCHED);
	}
}

void thread_set_policy(struct thread *t, int policy, int prio)
{
	unsigned long flags = cpu_irq_save();
	struct cpu *c = rq_lock_of(t);
	int base = policy == SCHED_IDLE ? -1 : prio;
	bool inherited = t->prio > t->base_prio && t->prio > base;

	t->policy = (uint8_t)policy;
	t->base_prio = (int8_t)base;
	prio_set_locked(c, t, inherited ? t->prio : base);
	spin_unlock_irq(&c->rq_lock, flags);
}

void thread_set_nice(struct thread *t, int nice)
{
	t->nice = (int8_t)nice;
}

void thread_set_inherited(struct thread *t, int prio)
{
	unsigned long flags = cpu_irq_save();
	struct cpu *c = rq_lock_of(t);

	prio_set_locked(c, t, max(prio, (int)t->base_prio));
	spin_unlock_irq(&c->rq_lock, flags);
}

void thread_set_affinity(struct thread *t, const struct cpumask *m)
{
	unsigned long flags = cpu_irq_save();
	struct cpu *c = rq_lock_of(t);
	bool move = false;

	t->affinity = *m;
	if (!cpumask_has(m, c->id)) {
		move = t->state == THREAD_RUNNABLE;
		if (move) {
			rq_remove_locked(c, t);
			t->state = THREAD_MOVING;
		} else if (c->current == t) {
			work_add(c, CPU_WORK_RESCHED);
			if (c != cpu_self())
				cpu_interrupt(c, IRQ_RESCHED);
		}
	}
	spin_unlock(&c->rq_lock);
	if (move)
		thread_place(t, NULL);
	cpu_irq_restore(flags);
}

struct cpumask thread_affinity(struct thread *t)
{
	unsigned long flags = cpu_irq_save();
	struct cpu *c = rq_lock_of(t);
	struct cpumask m = t->affinity;

	spin_unlock_irq(&c->rq_lock, flags);
	return m;
}

uint64_t thread_cpu_time(struct thread *t)
{
	unsigned long flags = cpu_irq_save();
	struct cpu *c = rq_lock_of(t);
	bool running = t->state == THREAD_RUNNING;
	uint64_t ns =
	    t->run_ns + (running ? clock_monotonic() - t->run_since : 0);

	spin_unlock_irq(&c->rq_lock, flags);
	return ns;
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

int sched_init_cpu(struct cpu *c)
{
	struct thread *idle = kzalloc(sizeof(*idle));

	if (!idle)
		return -ENOMEM;
	list_init(&c->rq);
	c->rq_prio = PRIO_NONE;
	timer_init(&c->slice_timer, slice_over);
	timer_init(&c->spread_timer, place_spread);
	idle->state = THREAD_RUNNING;
	idle->cpu = c;
	idle->prio = PRIO_NONE;
	idle->kernel_only = true;
	idle->kstack_top = c->kstack_top;
	idle->affinity = (struct cpumask)CPUMASK_ALL;
	list_init(&idle->all_node);
	memcpy(idle->name, "idle", 5);
	c->idle = c->current = idle;
	return 0;
}

noreturn void sched_idle(void)
{
	struct cpu *c = cpu_self();

	for (;;) {
		cpu_irq_off();
		if (!c->rq_len && !place_idle_enter(c)) {
			cpu_halt();
			continue;
		}
		place_idle_leave(c);
		spin_lock(&c->rq_lock);
		schedule_locked(c, false);
	}
}

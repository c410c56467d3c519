/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which CPU a thread runs on.
 *
 * A thread that wakes goes to the waker's CPU if an interrupt has come while
 * that was idle, to the one that it last ran on if that is idle, to another
 * idle one, or to the waker's; a real-time thread rather to the one that does
 * the least urgent thing.  If the waker hands something over it is the waker's
 * at first, and if that goes on for long, an idle one.  A CPU that has run out
 * of work takes some from another's queue before it halts.  At the end of a
 * time slice a thread goes to where fewer are, so that all get their share
 * although the queues are of different lengths.
 *
 * A CPU says that it is idle before it looks at the others' queues, and who
 * has put a thread on a queue looks for idle CPUs afterwards: so no thread is
 * left waiting while a CPU sleeps.
 */
#include "kernel/arch/x86_64/paging.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/sched_internal.h"

#define HANDOVER_NS (100 * NSEC_PER_USEC) /* to sleep after waking another */

static struct cpumask idle_cpus; /* [a] */
static int realtime_waits;       /* [a] threads on all queues */

static bool may_run(const struct cpu *c, const struct thread *t)
{
	return cpumask_has(&t->affinity, c->id);
}

/* How many threads run or wait there: a hint. */
static unsigned load(const struct cpu *c)
{
	return __atomic_load_n(&c->rq_len, __ATOMIC_RELAXED) +
	       (__atomic_load_n(&c->current, __ATOMIC_RELAXED) != c->idle);
}

/* An idle CPU for t, nobody else's target any more; or NULL. */
static struct cpu *claim_idle(const struct thread *t)
{
	int n;

	while ((n = cpumask_any_of(&idle_cpus, &t->affinity)) >= 0)
		if (cpumask_clear(&idle_cpus, (unsigned)n))
			return cpus[n];
	return NULL;
}

/* Where the least urgent thread runs, if t is more urgent; or NULL. */
static struct cpu *least_urgent(const struct thread *t)
{
	struct cpu *best = NULL;
	int prio = t->prio;

	for (unsigned i = 0; i < cpus_online; i++) {
		struct cpu *c = cpus[i];
		const struct thread *now =
		    __atomic_load_n(&c->current, __ATOMIC_RELAXED);
		if (!may_run(c, t) || now->prio >= prio || c->rq_prio >= prio)
			continue;
		prio = now->prio;
		best = c;
	}
	return best;
}

static struct cpu *least_loaded(const struct thread *t, const struct cpu *but)
{
	struct cpu *best = NULL;

	for (unsigned i = 0; i < cpus_online; i++) {
		struct cpu *c = cpus[i];
		if (c != but && may_run(c, t) &&
		    (!best || load(c) < load(best)))
			best = c;
	}
	return best;
}

/* The waker means to sleep, and nobody else waits here. */
static bool is_handover(const struct cpu *self, const struct thread *t)
{
	return self->handover && !self->rq_len &&
	       self->current->prio == t->prio && may_run(self, t);
}

static struct cpu *choose(const struct thread *t)
{
	struct cpu *last = t->cpu, *self = cpu_self(), *c;

	if (cpus_online == 1)
		return last;
	if (is_handover(self, t))
		return self;
	if (may_run(self, t) && cpumask_clear(&idle_cpus, self->id))
		return self;
	if (may_run(last, t) && cpumask_clear(&idle_cpus, last->id))
		return last;
	c = claim_idle(t);
	if (!c && t->prio > 0)
		c = least_urgent(t);
	if (c)
		return c;
	if (!may_run(last, t))
		return least_loaded(t, NULL);
	return may_run(self, t) && load(self) <= load(last) ? self : last;
}

/* Unless there is a switch until then, who waits here goes elsewhere.  Without
 * an idle CPU there is nowhere to go, and one that gets idle looks here. */
static void spread_arm(struct cpu *c)
{
	static const struct cpumask any = CPUMASK_ALL;

	if (cpumask_any_of(&idle_cpus, &any) < 0)
		return;
	c->spread_from = c->switches;
	timer_set(&c->spread_timer, clock_monotonic() + HANDOVER_NS);
}

/* There is something on c's queue for it. */
static void tell(struct cpu *c)
{
	struct cpu *self = cpu_self(), *now = c;

	if (self->wakes) {
		now = self->tell != c ? self->tell : NULL;
		self->tell = c;
	}
	if (now)
		cpu_interrupt(now, IRQ_RESCHED);
}

void thread_wakes_begin(void)
{
	cpu_self()->wakes++;
}

/* An interrupt may add one to be told until the count is 0, and tells it itself
 * after that: so the count goes first. */
void thread_wakes_end(void)
{
	struct cpu *self = cpu_self(), *c;

	self->wakes--;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	c = self->tell;
	if (self->wakes || !c)
		return;
	self->tell = NULL;
	cpu_interrupt(c, IRQ_RESCHED);
}

void thread_handover_begin(void)
{
	cpu_self()->handover = true;
}

void thread_handover_end(void)
{
	cpu_self()->handover = false;
}

void thread_place_locked(struct thread *t, struct cpu *c, struct cpu *to)
{
	bool first = to != NULL; /* it has waited already */
	bool has_to_know;
	struct cpu *idle;

	if (!to)
		to = choose(t);

	while (to != c || !may_run(c, t)) {
		t->cpu = to;
		spin_unlock(&c->rq_lock);
		c = to;
		spin_lock(&c->rq_lock);
		if (!may_run(c, t)) /* changed meanwhile */
			to = choose(t);
	}
	rq_insert_locked(c, t, first);
	has_to_know = rq_consider_locked(c, t);
	spin_unlock(&c->rq_lock);
	if (has_to_know)
		tell(c);
	if (cpus_online == 1 || c->current == c->idle)
		return;
	if (c == cpu_self() && c->handover) {
		if (!c->current->kernel_only && !c->spread_timer.armed)
			spread_arm(c);
		return;
	}
	idle = claim_idle(t);
	if (idle)
		tell(idle);
}

void thread_place(struct thread *t, struct cpu *to)
{
	thread_place_locked(t, rq_lock_of(t), to);
}

/* One who waits for c goes to an idle CPU. */
static void spread(struct cpu *c)
{
	struct cpu *idle = NULL;
	struct thread *t;

	spin_lock(&c->rq_lock);
	list_for_each (t, &c->rq, run_node)
		if (!idle)
			idle = claim_idle(t);
	spin_unlock(&c->rq_lock);
	if (idle)
		cpu_interrupt(idle, IRQ_RESCHED);
}

void thread_spread(void)
{
	unsigned long flags = cpu_irq_save();
	struct cpu *c = cpu_self();

	if (c->rq_len)
		spread(c);
	cpu_irq_restore(flags);
}

void place_spread(struct timer *timer)
{
	struct cpu *c = cpu_self();

	(void)timer;
	if (!c->rq_len)
		return;
	if (c->switches != c->spread_from) /* not for that long */
		spread_arm(c);
	else
		spread(c);
}

/* Of prev and those of its priority that wait on c, but not as the next one,
 * who has had the least of all CPUs yet: it is better off where fewer are. */
static struct thread *neediest_locked(struct cpu *c, struct thread *prev)
{
	struct thread *best = prev, *t;

	list_for_each (t, &c->rq, run_node)
		if (t->prio == prev->prio && t->run_ns < best->run_ns &&
		    t->run_node.prev != &c->rq)
			best = t;
	return best;
}

struct thread *place_elsewhere_locked(
    struct cpu *c, struct thread *prev, bool preempted, struct cpu **to)
{
	struct thread *t;

	*to = NULL;
	if (cpus_online == 1)
		return NULL;
	if (!may_run(c, prev))
		return prev;
	if (preempted)
		return cpumask_any_of(&idle_cpus, &prev->affinity) >= 0 ||
			       (prev->prio > 0 && least_urgent(prev))
			   ? prev
			   : NULL;
	if (!c->rq_len)
		return NULL;
	t = neediest_locked(c, prev);
	*to = least_loaded(t, c);
	return *to && load(*to) <= c->rq_len ? t : NULL;
}

/* Take t off another CPU's queue, whose lock is held. */
static void take_locked(struct cpu *from, struct cpu *to, struct thread *t)
{
	rq_remove_locked(from, t);
	t->state = THREAD_MOVING;
	t->cpu = to;
}

void place_realtime_waits(int more)
{
	__atomic_add_fetch(&realtime_waits, more, __ATOMIC_SEQ_CST);
}

void place_pull_locked(struct cpu *c)
{
	if (!__atomic_load_n(&realtime_waits, __ATOMIC_RELAXED))
		return;
	for (unsigned i = 0; i < cpus_online; i++) {
		struct cpu *v = cpus[i];
		struct thread *t;
		if (v == c || v->rq_prio <= 0 || v->rq_prio <= c->rq_prio ||
		    !spin_trylock(&v->rq_lock))
			continue;
		t = list_first(&v->rq, struct thread, run_node);
		if (v->rq_len && t->prio > c->rq_prio && may_run(c, t)) {
			take_locked(v, c, t);
			rq_insert_locked(c, t, false);
		}
		spin_unlock(&v->rq_lock);
	}
}

/* The first thread in v's queue that may run on c; or NULL. */
static struct thread *candidate_locked(const struct cpu *v, const struct cpu *c)
{
	struct thread *t;

	list_for_each (t, &v->rq, run_node)
		if (may_run(c, t))
			return t;
	return NULL;
}

static bool steal_from(struct cpu *c, struct cpu *v)
{
	struct thread *t = NULL;

	if (v == c || !__atomic_load_n(&v->rq_len, __ATOMIC_SEQ_CST))
		return false;
	spin_lock(&v->rq_lock);
	if (v->current != v->idle)
		t = candidate_locked(v, c);
	if (t)
		take_locked(v, c, t);
	spin_unlock(&v->rq_lock);
	if (!t)
		return false;
	spin_lock(&c->rq_lock);
	rq_insert_locked(c, t, false);
	spin_unlock(&c->rq_lock);
	return true;
}

bool place_idle_enter(struct cpu *c)
{
	if (cpus_online == 1)
		return false;
	tlb_lazy_enter(c);
	cpumask_set(&idle_cpus, c->id);
	for (unsigned i = 1; i < cpus_online; i++)
		if (steal_from(c, cpus[(c->id + i) % cpus_online]))
			return true;
	return false;
}

void place_idle_leave(struct cpu *c)
{
	cpumask_clear(&idle_cpus, c->id);
	tlb_lazy_leave(c);
}

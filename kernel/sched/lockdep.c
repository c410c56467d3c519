/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lock checker of debug builds; see lockdep.h.
 *
 * Classes are nodes of a graph, and "taken while that was held" its edges.  A
 * lock may be taken only if no path leads from its class back to one that is
 * held.  Spin locks are held by a CPU, mutexes by a thread; an order between
 * the two kinds can't be wrong, as nobody waits for a mutex with a spin lock
 * held.  A class that an interrupt handler has taken marks all that come
 * after it.  What is found wrong ends the VM, so nothing is undone.
 */
#include "kernel/sched/lockdep.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/layout.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/printk.h"
#include "kernel/lib/string.h"
#include "kernel/sched/thread.h"

#define CLASSES_MAX 320
#define EDGES_MAX   4096
#define SPINS_MAX   16

struct class
{
	const char *name; /* of its initialiser ... */
	uintptr_t key;    /* ... or the static lock, or who took it first */
	uintptr_t in_irq; /* where a handler took it or one before it */
	uintptr_t irq_on; /* where it was taken with interrupts on */
	uint64_t after[CLASSES_MAX / 64];
};

struct edge {
	uint16_t from, to;
	uintptr_t from_at, to_at;
};

static struct class classes[CLASSES_MAX]; /* [guard], from 1 */
static struct edge edges[EDGES_MAX];      /* [guard] */
static unsigned nr_classes = 1, nr_edges; /* [guard] */
static uint32_t guard;                    /* a lock without checks */
static bool off;                          /* [a] a report is under way */

struct holding {
	struct lockdep_lock *lock;
	uintptr_t at;
};

/* [o] By CPU. */
static struct {
	unsigned nr, irqs;
	struct holding held[SPINS_MAX];
} by_cpu[CPUS_MAX];

static bool ready(void)
{
	return cpu_boot.self && !__atomic_load_n(&off, __ATOMIC_RELAXED);
}

static unsigned long guard_lock(void)
{
	unsigned long flags = cpu_irq_save();

	while (__atomic_exchange_n(&guard, 1, __ATOMIC_ACQUIRE))
		cpu_relax();
	return flags;
}

static void guard_unlock(unsigned long flags)
{
	__atomic_store_n(&guard, 0, __ATOMIC_RELEASE);
	cpu_irq_restore(flags);
}

static void print_class(const char *what, unsigned c, uintptr_t at)
{
	if (classes[c].name)
		printk("%s %s, taken at\n", what, classes[c].name);
	else
		printk("%s (no name), first taken or at %#lx, taken at\n", what,
		    classes[c].key);
	printk("  [<%#lx>]\n", at);
}

static noreturn void report(
    const char *why, unsigned a, uintptr_t a_at, unsigned b, uintptr_t b_at)
{
	__atomic_store_n(&off, true, __ATOMIC_SEQ_CST);
	__atomic_store_n(&guard, 0, __ATOMIC_RELEASE);
	print_class("lock", a, a_at);
	if (b)
		print_class("and lock", b, b_at);
	panic("lock checker: %s", why);
}

static unsigned class_find(const char *name, uintptr_t key)
{
	for (unsigned c = 1; c < nr_classes; c++) {
		const struct class *k = &classes[c];
		if (name && k->name && !strcmp(k->name, name))
			return c;
		if (!name && !k->name && k->key == key)
			return c;
	}
	return 0;
}

static unsigned class_of_locked(struct lockdep_lock *l, uintptr_t at)
{
	bool is_static = (uintptr_t)l < USER_END;
	uintptr_t key = is_static ? (uintptr_t)l : at;
	unsigned c = l->class;

	if (c) {
		assert(c < nr_classes); /* else it was never initialised */
		return c;
	}
	c = class_find(l->name, key);
	if (!c) {
		if (nr_classes == CLASSES_MAX)
			panic("lock checker: too many classes");
		c = nr_classes++;
		classes[c].name = l->name;
		classes[c].key = key;
	}
	l->class = c;
	return c;
}

static bool has(const uint64_t *set, unsigned c)
{
	return set[c / 64] >> c % 64 & 1;
}

static struct edge *edge_of(unsigned from, unsigned to)
{
	for (unsigned i = 0; i < nr_edges; i++)
		if (edges[i].from == from && edges[i].to == to)
			return &edges[i];
	panic("lock checker: an edge without its sites");
}

/* The first edge of a path from one class to another, or NULL. */
static struct edge *path_find(unsigned from, unsigned to)
{
	static uint64_t seen[CLASSES_MAX / 64];
	static uint16_t stack[CLASSES_MAX], first[CLASSES_MAX];
	unsigned n = 0;

	memset(seen, 0, sizeof(seen));
	stack[n++] = (uint16_t)from;
	while (n) {
		unsigned c = stack[--n];
		for (unsigned i = 1; i < nr_classes; i++) {
			if (!has(classes[c].after, i) || has(seen, i))
				continue;
			seen[i / 64] |= 1ull << i % 64;
			first[i] = c == from ? (uint16_t)i : first[c];
			if (i == to)
				return edge_of(from, first[i]);
			stack[n++] = (uint16_t)i;
		}
	}
	return NULL;
}

/* Class c may be held in a handler: so may all that are taken inside it. */
static void mark_irq(unsigned c, uintptr_t at)
{
	if (classes[c].in_irq)
		return;
	classes[c].in_irq = at;
	if (classes[c].irq_on)
		report("a handler takes it (second site: interrupts on)", c, at,
		    c, classes[c].irq_on);
	for (unsigned i = 1; i < nr_classes; i++)
		if (has(classes[c].after, i))
			mark_irq(i, edge_of(c, i)->to_at);
}

static void edge_add(unsigned h, uintptr_t h_at, unsigned c, uintptr_t at)
{
	struct edge *e;

	if (has(classes[h].after, c))
		return;
	e = path_find(c, h);
	if (e) {
		print_class("before: lock", e->from, e->from_at);
		print_class("before: and then lock", e->to, e->to_at);
		report("the order is reversed", h, h_at, c, at);
	}
	if (nr_edges == EDGES_MAX)
		panic("lock checker: too many edges");
	edges[nr_edges++] = (struct edge){(uint16_t)h, (uint16_t)c, h_at, at};
	classes[h].after[c / 64] |= 1ull << c % 64;
	if (classes[h].in_irq)
		mark_irq(c, at);
}

static void order_check(struct lockdep_lock *h, uintptr_t h_at,
    struct lockdep_lock *l, unsigned c, uintptr_t at)
{
	unsigned hc = class_of_locked(h, h_at);

	if (h == l)
		report("taken twice", hc, h_at, c, at);
	if (hc != c)
		edge_add(hc, h_at, c, at);
	else if (h > l)
		report("two of a class, against their addresses' order", hc,
		    h_at, c, at);
}

static void hold_locked(struct lockdep_lock *l, unsigned c, uintptr_t at)
{
	unsigned cpu = cpu_self()->id;

	if (by_cpu[cpu].nr == SPINS_MAX)
		report("too many held", c, at, 0, 0);
	by_cpu[cpu].held[by_cpu[cpu].nr++] = (struct holding){l, at};
}

void lockdep_spin_lock(struct lockdep_lock *l, uintptr_t at)
{
	unsigned long flags;
	unsigned cpu, c;

	if (!ready())
		return;
	flags = guard_lock();
	cpu = cpu_self()->id;
	c = class_of_locked(l, at);
	for (unsigned i = 0; i < by_cpu[cpu].nr; i++)
		order_check(
		    by_cpu[cpu].held[i].lock, by_cpu[cpu].held[i].at, l, c, at);
	if (flags & RFLAGS_IF && !classes[c].irq_on) {
		classes[c].irq_on = at;
		if (classes[c].in_irq)
			report("interrupts on (second site: in a handler)", c,
			    at, c, classes[c].in_irq);
	}
	if (by_cpu[cpu].irqs)
		mark_irq(c, at);
	hold_locked(l, c, at);
	guard_unlock(flags);
}

void lockdep_spin_tried(struct lockdep_lock *l, uintptr_t at)
{
	unsigned long flags;

	if (!ready())
		return;
	flags = guard_lock();
	hold_locked(l, class_of_locked(l, at), at);
	guard_unlock(flags);
}

void lockdep_spin_unlock(struct lockdep_lock *l, uintptr_t at)
{
	unsigned long flags;
	unsigned cpu, i;

	if (!ready())
		return;
	flags = cpu_irq_save();
	cpu = cpu_self()->id;
	for (i = by_cpu[cpu].nr; i && by_cpu[cpu].held[i - 1].lock != l; i--)
		;
	if (!i)
		report("this CPU does not hold it", l->class, at, 0, 0);
	by_cpu[cpu].nr--;
	for (; i <= by_cpu[cpu].nr; i++)
		by_cpu[cpu].held[i - 1] = by_cpu[cpu].held[i];
	cpu_irq_restore(flags);
}

static void mutex_check(
    struct lockdep_thread *t, struct lockdep_lock *l, uintptr_t at)
{
	unsigned long flags = guard_lock();
	unsigned c = class_of_locked(l, at);

	for (unsigned i = 0; i < t->nr; i++)
		order_check(t->held[i].lock, t->held[i].at, l, c, at);
	guard_unlock(flags);
}

void lockdep_mutex_lock(struct lockdep_lock *l, uintptr_t at, bool tried)
{
	struct lockdep_thread *t;

	if (!ready() || !thread_current())
		return;
	t = &thread_current()->lockdep;
	if (!tried)
		mutex_check(t, l, at);
	if (t->nr == LOCKDEP_HELD_MAX)
		report("too many held", l->class, at, 0, 0);
	t->held[t->nr].lock = l;
	t->held[t->nr++].at = at;
}

void lockdep_mutex_unlock(struct lockdep_lock *l, uintptr_t at)
{
	struct lockdep_thread *t;
	unsigned i;

	if (!ready() || !thread_current())
		return;
	t = &thread_current()->lockdep;
	for (i = t->nr; i && t->held[i - 1].lock != l; i--)
		;
	if (!i)
		report("this thread does not hold it", l->class, at, 0, 0);
	t->nr--;
	for (; i <= t->nr; i++)
		t->held[i - 1] = t->held[i];
}

void lockdep_might_lock(struct lockdep_lock *l, uintptr_t at)
{
	if (ready() && thread_current())
		mutex_check(&thread_current()->lockdep, l, at);
}

void lockdep_may_sleep(const char *file, int line)
{
	unsigned long flags;
	unsigned cpu;

	if (!ready() || !thread_current())
		return;
	flags = cpu_irq_save();
	cpu = cpu_self()->id;
	if (by_cpu[cpu].nr) {
		struct holding *h = &by_cpu[cpu].held[by_cpu[cpu].nr - 1];
		printk("%s:%d may sleep\n", file, line);
		report("a spin lock is held", h->lock->class, h->at, 0, 0);
	}
	if (by_cpu[cpu].irqs || !(flags & RFLAGS_IF))
		panic("%s:%d may sleep: interrupts are off", file, line);
	cpu_irq_restore(flags);
}

void lockdep_irq_enter(void)
{
	by_cpu[cpu_self()->id].irqs++;
}

void lockdep_irq_exit(void)
{
	by_cpu[cpu_self()->id].irqs--;
}

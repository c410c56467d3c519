/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mutexes.  `contended` counts threads between the failed attempt and their
 * success; the unlocker wakes one waiter only if there is one.
 */
#include "kernel/sched/mutex.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/lib/assert.h"
#include "kernel/sched/thread.h"

#define SPINS 1000 /* before sleeping */

void mutex_setup(struct mutex *m)
{
	*m = (struct mutex){.owner = NULL};
	waitq_init(&m->waiters);
}

static bool take(struct mutex *m)
{
	struct thread *none = NULL;

	return __atomic_compare_exchange_n(&m->owner, &none, thread_current(),
	    false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

bool mutex_trylock(struct mutex *m)
{
	bool taken = take(m);

	if (taken)
		lockdep_mutex_lock(&m->debug, LOCKDEP_HERE, true);
	return taken;
}

/* While the owner runs it will soon be done, and sleeping costs more.  It may
 * be gone already: then what is read is of no consequence. */
static bool spin_for(struct mutex *m)
{
	for (unsigned i = 0; cpus_online > 1 && i < SPINS; i++) {
		struct thread *owner =
		    __atomic_load_n(&m->owner, __ATOMIC_RELAXED);
		if (!owner && take(m))
			return true;
		if (owner && __atomic_load_n(&owner->state, __ATOMIC_RELAXED) !=
				 THREAD_RUNNING)
			break;
		cpu_relax();
	}
	return false;
}

void mutex_lock(struct mutex *m)
{
	struct waiter w;

	lockdep_sleeps();
	lockdep_mutex_lock(&m->debug, LOCKDEP_HERE, false);
	if (take(m) || spin_for(m))
		return;
	assert(m->owner != thread_current());
	waiter_init(&w);
	w.exclusive = true;
	__atomic_add_fetch(&m->contended, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		if (list_empty(&w.node))
			waitq_add(&m->waiters, &w);
		if (take(m) || spin_for(m))
			break;
		(void)thread_sleep(DEADLINE_NEVER, false);
	}
	waitq_remove(&m->waiters, &w);
	__atomic_sub_fetch(&m->contended, 1, __ATOMIC_SEQ_CST);
}

void mutex_unlock(struct mutex *m)
{
	assert(m->owner == thread_current());
	lockdep_mutex_unlock(&m->debug, LOCKDEP_HERE);
	__atomic_store_n(&m->owner, NULL, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&m->contended, __ATOMIC_SEQ_CST))
		waitq_wake_one(&m->waiters, 0);
}

bool mutex_is_mine(const struct mutex *m)
{
	return m->owner == thread_current();
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping locks, not recursive.  The holder may sleep; interrupt handlers
 * may not take one.  MUTEX_GUARD(&m) holds it to the end of the scope.
 */
#ifndef TORIL_KERNEL_SCHED_MUTEX_H
#define TORIL_KERNEL_SCHED_MUTEX_H

#include "kernel/sched/wait.h"

struct mutex {
	struct thread *owner; /* [a] */
	uint32_t contended;   /* [a] somebody waits */
	struct waitq waiters;
	struct lockdep_lock debug;
};

#define MUTEX_INIT(m)                                                          \
	{                                                                      \
		NULL, 0, WAITQ_INIT((m).waiters), LOCKDEP_INIT                 \
	}

void mutex_setup(struct mutex *m);
#define mutex_init(m) (mutex_setup(m), lockdep_name(&(m)->debug))
void mutex_lock(struct mutex *m); /* may sleep */
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);
bool mutex_is_mine(const struct mutex *m); /* for assertions */

static inline void mutex_guard_end(struct mutex **m)
{
	mutex_unlock(*m);
}

#define MUTEX_GUARD(m)                                                         \
	__attribute__((cleanup(mutex_guard_end),                               \
	    unused)) struct mutex *guard_ = (mutex_lock(m), (m))

#endif

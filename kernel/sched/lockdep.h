/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a debug build (make DEBUG=1) checks about locks; nothing of it is left
 * in an ordinary one.
 *
 * Locks belong to classes: all that one line initialises are one, and a
 * static lock that nothing initialises is one of its own.  Whenever a lock is
 * taken, "that class after those held" is noted; an order that contradicts
 * what was noted before is a panic that names both, and so is each of: a lock
 * taken twice, a spin lock given back by a CPU that does not hold it, sleeping
 * with a spin lock held, in an interrupt or with interrupts off, a lock that
 * interrupt handlers take (or one taken inside it) being held with interrupts
 * on.  Two locks of one class are taken in the order of their addresses.
 */
#ifndef TORIL_KERNEL_SCHED_LOCKDEP_H
#define TORIL_KERNEL_SCHED_LOCKDEP_H

#include "kernel/lib/base.h"

#ifdef TORIL_DEBUG

struct lockdep_lock {
	const char *name; /* "file:line" of its initialiser, or NULL */
	uint32_t class;   /* [a] 0 until first taken */
};

#define LOCKDEP_STRING_(n) #n
#define LOCKDEP_LINE_(n)   LOCKDEP_STRING_(n)
#define LOCKDEP_SITE       __FILE__ ":" LOCKDEP_LINE_(__LINE__)
#define LOCKDEP_INIT                                                           \
	{                                                                      \
		LOCKDEP_SITE, 0                                                \
	}
#define LOCKDEP_HERE     ((uintptr_t)__builtin_return_address(0))
#define lockdep_name(l)  ((void)((l)->name = LOCKDEP_SITE))
#define lockdep_sleeps() lockdep_may_sleep(__FILE__, __LINE__)

/* A spin lock is about to be taken, at code address `at`; was given back. */
void lockdep_spin_lock(struct lockdep_lock *l, uintptr_t at);
void lockdep_spin_unlock(struct lockdep_lock *l, uintptr_t at);

/* A spin lock was taken without waiting, so in any order. */
void lockdep_spin_tried(struct lockdep_lock *l, uintptr_t at);

/* The same for a mutex; `tried`: without waiting, so in any order. */
void lockdep_mutex_lock(struct lockdep_lock *l, uintptr_t at, bool tried);
void lockdep_mutex_unlock(struct lockdep_lock *l, uintptr_t at);

/* The caller may take this mutex: check as if it did. */
void lockdep_might_lock(struct lockdep_lock *l, uintptr_t at);

/* The caller may sleep: it holds no spin lock, and interrupts are on. */
void lockdep_may_sleep(const char *file, int line);

/* Around an interrupt handler. */
void lockdep_irq_enter(void);
void lockdep_irq_exit(void);

/* Make the mistake that the kernel's command line asks for, if any. */
void lockdep_mistake(const char *cmdline);

/* What a thread needs for it: the mutexes that it holds. */
#define LOCKDEP_HELD_MAX 16
struct lockdep_thread {
	unsigned nr;
	struct {
		struct lockdep_lock *lock;
		uintptr_t at;
	} held[LOCKDEP_HELD_MAX];
};

#else

struct lockdep_lock {
};
struct lockdep_thread {
};

#define LOCKDEP_INIT                                                           \
	{                                                                      \
	}
#define LOCKDEP_HERE                     0
#define lockdep_name(l)                  ((void)0)
#define lockdep_sleeps()                 ((void)0)
#define lockdep_spin_lock(l, at)         ((void)0)
#define lockdep_spin_unlock(l, at)       ((void)0)
#define lockdep_spin_tried(l, at)        ((void)0)
#define lockdep_mutex_lock(l, at, tried) ((void)0)
#define lockdep_mutex_unlock(l, at)      ((void)0)
#define lockdep_might_lock(l, at)        ((void)0)
#define lockdep_irq_enter()              ((void)0)
#define lockdep_irq_exit()               ((void)0)
#define lockdep_mistake(cmdline)         ((void)0)

#endif
#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Futexes: futex(2) on one address space; keys are virtual addresses. */
#ifndef TORIL_KERNEL_SCHED_FUTEX_H
#define TORIL_KERNEL_SCHED_FUTEX_H

#include "kernel/lib/base.h"

/* Sleep if *addr == val until woken with a matching bitset.  0, -EAGAIN,
 * -ETIMEDOUT, -ERESTARTSYS, -EFAULT. */
int futex_wait(
    uint32_t *addr, uint32_t val, uint64_t deadline, uint32_t bitset);

/* Wake at most n; how many were. */
int futex_wake(uint32_t *addr, int n, uint32_t bitset);

/* Wake at most n, move at most m of the others to addr2.  With `check`,
 * -EAGAIN unless *addr == val. */
int futex_requeue(
    uint32_t *addr, int n, int m, uint32_t *addr2, bool check, uint32_t val);

/* futex(2)'s FUTEX_WAKE_OP. */
int futex_wake_op(
    uint32_t *addr, int n, int m, uint32_t *addr2, uint32_t encoded);

/*
 * FUTEX_LOCK_PI and, with `try`, FUTEX_TRYLOCK_PI: the word at addr becomes
 * the caller's tid; until then its owner inherits the caller's priority.
 * 0, -EAGAIN (try), -EDEADLK (a cycle), -ESRCH (no such owner), -ETIMEDOUT,
 * -ERESTARTSYS, -EFAULT, -EINVAL.  May sleep.
 */
int futex_lock_pi(uint32_t *addr, uint64_t deadline, bool try);

/* FUTEX_UNLOCK_PI: 0, -EPERM (not the owner), -EFAULT, -EINVAL. */
int futex_unlock_pi(uint32_t *addr);

/* The caller ends and owns the PI lock at addr: the next waiter gets it,
 * marked FUTEX_OWNER_DIED. */
void futex_pi_owner_died(uint32_t *addr);

/* The caller ends: nobody waits for it any more. */
void futex_pi_thread_exit(void);

#endif

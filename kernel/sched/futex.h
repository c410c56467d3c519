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

#endif

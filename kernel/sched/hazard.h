/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hazard pointers: reading a shared pointer, and taking a reference to what it
 * leads to, without a lock (M. Michael, "Hazard Pointers", 2004).
 *
 *	do {
 *		p = load(&shared);
 *		hazard_set(p);
 *	} while (p != load(&shared));
 *	...              p is not freed until
 *	hazard_clear();
 *
 * Who frees such an object makes it unreachable first and then calls
 * hazard_wait(p).  A CPU has one hazard; nothing sleeps while it is set, and
 * interrupt handlers don't use it.
 */
#ifndef TORIL_KERNEL_SCHED_HAZARD_H
#define TORIL_KERNEL_SCHED_HAZARD_H

/* A full memory barrier, too. */
void hazard_set(const void *p);
void hazard_clear(void);

/* Until no CPU has p for its hazard.  Any context; does not sleep. */
void hazard_wait(const void *p);

#endif

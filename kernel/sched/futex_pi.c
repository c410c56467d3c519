/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PI futexes, futex(2): locks whose owner runs with the priority of the most
 * urgent thread that waits for them.
 *
 * The word holds the owner's tid, FUTEX_WAITERS if somebody waits in the
 * kernel, and FUTEX_OWNER_DIED.  Only contended locks come here, so one
 * mutex covers all of them; it is held while the word is changed, which may
 * fault.  An unlock hands the lock over to the most urgent waiter.
 */
#include <linux/futex.h>
#include "kernel/arch/x86_64/layout.h"
#include "kernel/lib/list.h"
#include "kernel/sched/futex.h"
#include "kernel/sched/mutex.h"
#include "kernel/sched/thread.h"

#define CHAIN_MAX 64 /* locks that wait for each other; more is a cycle */

int uaccess_load32(const uint32_t *p, uint32_t *out);
int uaccess_cmpxchg32(uint32_t *p, uint32_t *expected, uint32_t new);

struct pi_waiter {
	struct list node;
	uint32_t *addr;
	struct thread *thread, *owner;
	bool granted; /* [a] */
};

static struct mutex pi_lock = MUTEX_INIT(pi_lock);
static struct list pi_waiters = LIST_INIT(pi_waiters); /* [pi_lock] by age */

static struct pi_waiter *waiter_of_locked(const struct thread *t)
{
	struct pi_waiter *w;

	list_for_each (w, &pi_waiters, node)
		if (w->thread == t)
			return w;
	return NULL;
}

/* The most urgent thread that waits for addr, and how many do. */
static struct pi_waiter *top_locked(const uint32_t *addr, unsigned *n)
{
	struct pi_waiter *w, *top = NULL;

	*n = 0;
	list_for_each (w, &pi_waiters, node) {
		if (w->addr != addr)
			continue;
		++*n;
		if (!top || w->thread->prio > top->thread->prio)
			top = w;
	}
	return top;
}

/* Have t, and whoever it waits for, run as urgently as those that wait. */
static void inherit_locked(struct thread *t)
{
	struct pi_waiter *w;

	for (int i = 0; t && i < CHAIN_MAX; i++) {
		int prio = t->base_prio;
		list_for_each (w, &pi_waiters, node)
			if (w->owner == t && w->thread->prio > prio)
				prio = w->thread->prio;
		if (prio == t->prio)
			return;
		thread_set_inherited(t, prio);
		w = waiter_of_locked(t);
		t = w ? w->owner : NULL;
	}
}

static bool would_cycle_locked(struct thread *owner)
{
	struct pi_waiter *w;

	for (int i = 0; i < CHAIN_MAX; i++) {
		if (!owner)
			return false;
		if (owner == thread_current())
			return true;
		w = waiter_of_locked(owner);
		if (!w)
			return false;
		owner = w->owner;
	}
	return true;
}

/* The thread stays as long as pi_lock is held: see futex_pi_thread_exit. */
static struct thread *owner_of(uint32_t word)
{
	struct thread *t;

	spin_lock(&threads_lock);
	t = thread_find_locked((int)(word & FUTEX_TID_MASK));
	if (t && t->pi_exited)
		t = NULL;
	spin_unlock(&threads_lock);
	return t;
}

/*
 * Take the lock if it is free: 0.  Else mark it contended and name its owner:
 * -EAGAIN.  Other results are final.
 */
static int take_locked(uint32_t *addr, bool try, struct thread **owner)
{
	uint32_t tid = (uint32_t)thread_current()->tid, old, new;
	unsigned others;
	int r;

	if (uaccess_load32(addr, &old))
		return -EFAULT;
	do {
		if ((old & FUTEX_TID_MASK) == tid)
			return -EDEADLK;
		if (old & FUTEX_TID_MASK) {
			if (try)
				return -EAGAIN;
			new = old | FUTEX_WAITERS;
		} else {
			top_locked(addr, &others);
			new = (old & FUTEX_OWNER_DIED) | tid |
			      (others ? FUTEX_WAITERS : 0);
		}
		r = uaccess_cmpxchg32(addr, &old, new);
	} while (r == 1);
	if (r)
		return -EFAULT;
	if (!(old & FUTEX_TID_MASK))
		return 0;
	*owner = owner_of(old);
	if (!*owner)
		return -ESRCH;
	return would_cycle_locked(*owner) ? -EDEADLK : -EAGAIN;
}

static int wait_for_grant(struct pi_waiter *w, uint64_t deadline)
{
	int err = 0;

	while (!err && !__atomic_load_n(&w->granted, __ATOMIC_ACQUIRE))
		err = thread_sleep(deadline, true);
	mutex_lock(&pi_lock);
	if (w->granted) {
		err = 0;
	} else {
		list_remove(&w->node);
		inherit_locked(w->owner);
	}
	mutex_unlock(&pi_lock);
	return err;
}

int futex_lock_pi(uint32_t *addr, uint64_t deadline, bool try)
{
	struct pi_waiter w = {.addr = addr, .thread = thread_current()};
	int err;

	if ((uintptr_t)addr & 3)
		return -EINVAL;
	if ((uintptr_t)addr >= USER_END)
		return -EFAULT;
	mutex_lock(&pi_lock);
	err = take_locked(addr, try, &w.owner);
	if (err == -EAGAIN && !try) {
		list_push_back(&pi_waiters, &w.node);
		inherit_locked(w.owner);
	}
	mutex_unlock(&pi_lock);
	return err == -EAGAIN && !try ? wait_for_grant(&w, deadline) : err;
}

/* Give the word to the most urgent waiter, or to nobody. */
static int hand_over_locked(
    uint32_t *addr, uint32_t old, uint32_t died, struct thread *from)
{
	struct pi_waiter *top, *w;
	unsigned n;
	uint32_t new;
	int r;

	top = top_locked(addr, &n);
	new = died | (n > 1 ? FUTEX_WAITERS : 0) |
	      (top ? (uint32_t)top->thread->tid : 0);
	r = uaccess_cmpxchg32(addr, &old, new);
	if (r)
		return r < 0 ? -EFAULT : -EAGAIN;
	if (!top)
		return 0;
	list_remove(&top->node);
	list_for_each (w, &pi_waiters, node)
		if (w->addr == addr)
			w->owner = top->thread;
	inherit_locked(from);
	inherit_locked(top->thread);
	__atomic_store_n(&top->granted, true, __ATOMIC_RELEASE);
	thread_wake(top->thread);
	return 0;
}

int futex_unlock_pi(uint32_t *addr)
{
	struct thread *t = thread_current();
	uint32_t old;
	int err;

	if ((uintptr_t)addr & 3)
		return -EINVAL;
	if ((uintptr_t)addr >= USER_END)
		return -EFAULT;
	MUTEX_GUARD(&pi_lock);
	do {
		if (uaccess_load32(addr, &old))
			return -EFAULT;
		if ((old & FUTEX_TID_MASK) != (uint32_t)t->tid)
			return -EPERM;
		err = hand_over_locked(addr, old, 0, t);
	} while (err == -EAGAIN);
	return err;
}

void futex_pi_owner_died(uint32_t *addr)
{
	struct thread *t = thread_current();
	uint32_t old;

	MUTEX_GUARD(&pi_lock);
	do {
		if (uaccess_load32(addr, &old) ||
		    (old & FUTEX_TID_MASK) != (uint32_t)t->tid)
			return;
	} while (hand_over_locked(addr, old, FUTEX_OWNER_DIED, t) == -EAGAIN);
}

/*
 * The owner t is no more, and what has waited for it waits for nobody.  The C
 * library may have cleared the word by itself, telling of the death only; or
 * another thread has taken it since, unaware of those who wait.
 */
static void bereaved_locked(uint32_t *addr, struct thread *t)
{
	struct thread *owner = NULL;
	struct pi_waiter *w;
	uint32_t old, tid;
	int r;

	do {
		if (uaccess_load32(addr, &old))
			break;
		tid = old & FUTEX_TID_MASK;
		owner = tid && tid != (uint32_t)t->tid ? owner_of(old) : NULL;
		r = owner ? uaccess_cmpxchg32(addr, &old, old | FUTEX_WAITERS)
			  : hand_over_locked(addr, old, FUTEX_OWNER_DIED, t);
	} while (r == -EAGAIN || r == 1);
	list_for_each (w, &pi_waiters, node)
		if (w->owner == t && w->addr == addr)
			w->owner = owner;
	if (owner)
		inherit_locked(owner);
}

void futex_pi_thread_exit(void)
{
	struct thread *t = thread_current();
	struct pi_waiter *w;
	uint32_t *addr;

	do {
		addr = NULL;
		mutex_lock(&pi_lock);
		list_for_each (w, &pi_waiters, node)
			if (w->owner == t)
				addr = w->addr;
		/* From here on nobody takes it for an owner. */
		t->pi_exited = !addr;
		if (addr)
			bereaved_locked(addr, t);
		mutex_unlock(&pi_lock);
	} while (addr);
}

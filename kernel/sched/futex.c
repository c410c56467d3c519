/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Futexes; see futex.h.
 *
 * A waiter queues itself before it looks at the word: a wake-up that comes in
 * between finds it.  The word is read with no lock held, as reading it may
 * fault.
 */
#include "kernel/sched/futex.h"
#include "kernel/arch/x86_64/layout.h"
#include "kernel/lib/list.h"
#include "kernel/sched/spinlock.h"
#include "kernel/sched/thread.h"

#define BUCKETS 64

int uaccess_load32(const uint32_t *p, uint32_t *out);
int uaccess_cmpxchg32(uint32_t *p, uint32_t *expected, uint32_t new);

struct futex_waiter {
	struct list node;
	uint32_t *addr; /* [bucket lock] changes when requeued */
	uint32_t bitset;
	struct thread *thread;
	bool woken; /* [a] */
};

static struct bucket {
	struct spinlock lock;
	struct list waiters; /* [lock]; next is NULL until first used */
} buckets[BUCKETS];

static struct bucket *bucket_of(const uint32_t *addr)
{
	uint64_t h = ((uintptr_t)addr >> 2) * 0x9e3779b97f4a7c15ull;

	return &buckets[h >> 58];
}

static void bucket_lock(struct bucket *b)
{
	spin_lock(&b->lock);
	if (!b->waiters.next)
		list_init(&b->waiters);
}

/* Lock two buckets in the order of their addresses. */
static void lock_two(struct bucket *a, struct bucket *b)
{
	bucket_lock(a < b ? a : b);
	if (a != b)
		bucket_lock(a < b ? b : a);
}

static void unlock_two(struct bucket *a, struct bucket *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

static bool bad_address(const uint32_t *addr)
{
	return (uintptr_t)addr >= USER_END;
}

/* Leave the queue, wherever a requeue has put us; true if woken meanwhile. */
static bool leave(struct futex_waiter *w)
{
	for (;;) {
		struct bucket *b =
		    bucket_of(__atomic_load_n(&w->addr, __ATOMIC_ACQUIRE));
		spin_lock(&b->lock);
		if (bucket_of(w->addr) == b) {
			list_remove(&w->node);
			spin_unlock(&b->lock);
			return w->woken;
		}
		spin_unlock(&b->lock);
	}
}

int futex_wait(uint32_t *addr, uint32_t val, uint64_t deadline, uint32_t bitset)
{
	struct futex_waiter w = {
	    .addr = addr, .bitset = bitset, .thread = thread_current()};
	struct bucket *b = bucket_of(addr);
	uint32_t now;
	int err = 0;

	if ((uintptr_t)addr & 3 || !bitset)
		return -EINVAL;
	if (bad_address(addr))
		return -EFAULT;
	bucket_lock(b);
	list_push_back(&b->waiters, &w.node);
	spin_unlock(&b->lock);
	if (uaccess_load32(addr, &now))
		err = -EFAULT;
	else if (now != val)
		err = -EAGAIN;
	while (!err && !__atomic_load_n(&w.woken, __ATOMIC_ACQUIRE))
		err = thread_sleep(deadline, true);
	return leave(&w) ? 0 : err;
}

static int wake_locked(struct bucket *b, uint32_t *addr, int n, uint32_t bitset)
{
	struct futex_waiter *w, *tmp;
	int woken = 0;

	list_for_each_safe (w, tmp, &b->waiters, node) {
		struct thread *t = w->thread;
		if (woken >= n)
			break;
		if (w->addr != addr || !(w->bitset & bitset))
			continue;
		list_remove(&w->node);
		__atomic_store_n(&w->woken, true, __ATOMIC_RELEASE);
		thread_wake(t);
		woken++;
	}
	return woken;
}

int futex_wake(uint32_t *addr, int n, uint32_t bitset)
{
	struct bucket *b = bucket_of(addr);
	int woken;

	if ((uintptr_t)addr & 3 || !bitset)
		return -EINVAL;
	bucket_lock(b);
	thread_wakes_begin();
	woken = wake_locked(b, addr, n, bitset);
	spin_unlock(&b->lock);
	thread_wakes_end();
	return woken;
}

static int move_locked(struct bucket *from, struct bucket *to, uint32_t *addr,
    uint32_t *addr2, int m)
{
	struct futex_waiter *w, *tmp;
	int moved = 0;

	list_for_each_safe (w, tmp, &from->waiters, node) {
		if (moved >= m)
			break;
		if (w->addr != addr)
			continue;
		list_remove(&w->node);
		__atomic_store_n(&w->addr, addr2, __ATOMIC_RELEASE);
		list_push_back(&to->waiters, &w->node);
		moved++;
	}
	return moved;
}

int futex_requeue(
    uint32_t *addr, int n, int m, uint32_t *addr2, bool check, uint32_t val)
{
	struct bucket *a = bucket_of(addr), *b = bucket_of(addr2);
	uint32_t now;
	int done;

	if ((uintptr_t)addr & 3 || (uintptr_t)addr2 & 3 || n < 0 || m < 0)
		return -EINVAL;
	if (check) {
		if (bad_address(addr) || uaccess_load32(addr, &now))
			return -EFAULT;
		if (now != val)
			return -EAGAIN;
	}
	lock_two(a, b);
	done = wake_locked(a, addr, n, UINT32_MAX);
	if (addr != addr2)
		done += move_locked(a, b, addr, addr2, m);
	unlock_two(a, b);
	return done;
}

static int op_apply(unsigned op, uint32_t old, uint32_t arg, uint32_t *new)
{
	switch (op) {
	case 0:
		*new = arg;
		return 0;
	case 1:
		*new = old + arg;
		return 0;
	case 2:
		*new = old | arg;
		return 0;
	case 3:
		*new = old & ~arg;
		return 0;
	case 4:
		*new = old ^ arg;
		return 0;
	}
	return -ENOSYS;
}

static bool op_compare(unsigned cmp, int32_t old, int32_t arg)
{
	switch (cmp) {
	case 0:
		return old == arg;
	case 1:
		return old != arg;
	case 2:
		return old < arg;
	case 3:
		return old <= arg;
	case 4:
		return old > arg;
	default:
		return old >= arg;
	}
}

int futex_wake_op(
    uint32_t *addr, int n, int m, uint32_t *addr2, uint32_t encoded)
{
	unsigned op = encoded >> 28 & 7, cmp = encoded >> 24 & 15;
	uint32_t arg = (uint32_t)((int32_t)(encoded << 8) >> 20);
	int32_t cmparg = (int32_t)(encoded << 20) >> 20;
	uint32_t old, new;
	int err, woken;

	if (encoded >> 31)
		arg = 1u << (arg & 31);
	if (cmp > 5)
		return -ENOSYS;
	if (bad_address(addr2) || uaccess_load32(addr2, &old))
		return -EFAULT;
	do {
		err = op_apply(op, old, arg, &new);
		if (err)
			return err;
		err = uaccess_cmpxchg32(addr2, &old, new);
	} while (err == 1);
	if (err)
		return -EFAULT;
	woken = futex_wake(addr, n, UINT32_MAX);
	if (woken >= 0 && op_compare(cmp, (int32_t)old, cmparg))
		woken += futex_wake(addr2, m, UINT32_MAX);
	return woken;
}

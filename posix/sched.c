/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scheduling: classes and priorities, nice values, CPU affinity; sched(7).
 *
 * A process's nice value belongs to each of its threads, as on Linux, and
 * the process's own id names its first thread.
 */
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include "kernel/lib/string.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/thread.h"
#include "posix/calls.h"
#include "posix/time_convert.h"

#define RT_PRIO_MAX 99
#define NICE_MIN    (-20)
#define NICE_MAX    19

static bool is_realtime(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool policy_known(int policy)
{
	return is_realtime(policy) || policy == SCHED_NORMAL ||
	       policy == SCHED_BATCH || policy == SCHED_IDLE;
}

/* The thread, which can't go away until unlocked: NULL, nothing held. */
static struct thread *find_lock(int tid)
{
	struct thread *t = thread_current();

	spin_lock(&threads_lock);
	if (tid)
		t = thread_find_locked(tid);
	if (!t)
		spin_unlock(&threads_lock);
	return t;
}

static void unlock(void)
{
	spin_unlock(&threads_lock);
}

static long set_policy(int tid, int policy, int prio)
{
	bool reset = policy >= 0 && policy & SCHED_RESET_ON_FORK;
	bool keep = policy == -1;
	struct thread *t = find_lock(tid);
	long r = -EINVAL;

	if (!t)
		return -ESRCH;
	if (keep)
		policy = t->policy;
	else
		policy &= ~SCHED_RESET_ON_FORK;
	if (policy_known(policy) &&
	    (is_realtime(policy) ? prio >= 1 && prio <= RT_PRIO_MAX
				 : prio == 0)) {
		thread_set_policy(t, policy, prio);
		if (!keep)
			t->reset_on_fork = reset;
		r = 0;
	}
	unlock();
	return r;
}

long kcall_sched_setscheduler(int tid, int policy, const int *param)
{
	int prio;

	if (policy < 0 || tid < 0 || !param)
		return -EINVAL;
	if (get_user(prio, param))
		return -EFAULT;
	return set_policy(tid, policy, prio);
}

long kcall_sched_setparam(int tid, const int *param)
{
	int prio;

	if (tid < 0 || !param)
		return -EINVAL;
	if (get_user(prio, param))
		return -EFAULT;
	return set_policy(tid, -1, prio);
}

long kcall_sched_getscheduler(int tid)
{
	struct thread *t;
	long r;

	if (tid < 0)
		return -EINVAL;
	t = find_lock(tid);
	if (!t)
		return -ESRCH;
	r = t->policy | (t->reset_on_fork ? SCHED_RESET_ON_FORK : 0);
	unlock();
	return r;
}

long kcall_sched_getparam(int tid, int *param)
{
	struct thread *t;
	int prio;

	if (tid < 0 || !param)
		return -EINVAL;
	t = find_lock(tid);
	if (!t)
		return -ESRCH;
	prio = max((int)t->base_prio, 0);
	unlock();
	return put_user(param, prio);
}

long kcall_sched_setattr(int tid, const struct sched_attr *user, unsigned flags)
{
	struct sched_attr a = {0};
	uint32_t size;
	long err;

	if (tid < 0 || !user || flags)
		return -EINVAL;
	if (get_user(size, &user->size))
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	if (size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
		return -E2BIG;
	if (copy_in(&a, user, min((size_t)size, sizeof(a))))
		return -EFAULT;
	if (a.sched_flags & ~(uint64_t)SCHED_FLAG_RESET_ON_FORK ||
	    a.sched_priority > RT_PRIO_MAX || (int)a.sched_policy < 0)
		return -EINVAL;
	err = set_policy(tid,
	    (int)(a.sched_policy | (a.sched_flags ? SCHED_RESET_ON_FORK : 0u)),
	    (int)a.sched_priority);
	if (err || is_realtime((int)a.sched_policy))
		return err;
	struct thread *t = find_lock(tid);
	if (!t)
		return -ESRCH;
	thread_set_nice(t, min(max(a.sched_nice, NICE_MIN), NICE_MAX));
	unlock();
	return 0;
}

long kcall_sched_getattr(
    int tid, struct sched_attr *user, unsigned size, unsigned flags)
{
	struct sched_attr a = {.size = sizeof(a)};
	struct thread *t;

	if (tid < 0 || !user || flags || size < SCHED_ATTR_SIZE_VER0)
		return -EINVAL;
	t = find_lock(tid);
	if (!t)
		return -ESRCH;
	a.sched_policy = t->policy;
	a.sched_nice = t->nice;
	a.sched_priority = (uint32_t)max((int)t->base_prio, 0);
	a.sched_flags = t->reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;
	unlock();
	a.size = (uint32_t)min((size_t)size, sizeof(a));
	return copy_out(user, &a, a.size);
}

long kcall_sched_get_priority_max(int policy)
{
	return is_realtime(policy)    ? RT_PRIO_MAX
	       : policy_known(policy) ? 0
				      : -EINVAL;
}

long kcall_sched_get_priority_min(int policy)
{
	return is_realtime(policy) ? 1 : policy_known(policy) ? 0 : -EINVAL;
}

long kcall_sched_rr_get_interval(int tid, struct __kernel_timespec *out)
{
	struct thread *t;
	uint64_t ns;

	if (tid < 0)
		return -EINVAL;
	t = find_lock(tid);
	if (!t)
		return -ESRCH;
	ns = t->policy == SCHED_FIFO ? 0 : thread_slice(t);
	unlock();
	return put_user(out, timespec_of(ns));
}

long kcall_sched_yield(void)
{
	thread_yield();
	return 0;
}

long kcall_sched_getaffinity(int tid, size_t len, void *mask)
{
	uint64_t cpus = 1;

	if (len < sizeof(cpus) || len % sizeof(cpus))
		return -EINVAL;
	if (tid < 0 || !find_lock(tid))
		return -ESRCH;
	unlock();
	return copy_out(mask, &cpus, sizeof(cpus)) ? -EFAULT
						   : (long)sizeof(cpus);
}

long kcall_sched_setaffinity(int tid, size_t len, const void *mask)
{
	uint64_t cpus = 0;

	if (copy_in(&cpus, mask, min(len, sizeof(cpus))))
		return -EFAULT;
	if (tid < 0 || !find_lock(tid))
		return -ESRCH;
	unlock();
	return cpus & 1 ? 0 : -EINVAL;
}

long kcall_getcpu(unsigned *cpu, unsigned *node)
{
	if ((cpu && put_user(cpu, 0u)) || (node && put_user(node, 0u)))
		return -EFAULT;
	return 0;
}

/* For PRIO_PROCESS `who` is a thread; the group and the user have them all. */
static bool concerned(const struct thread *t, int which, int who)
{
	if (t->kernel_only)
		return false;
	if (which == PRIO_PROCESS)
		return who ? t->tid == who : t == thread_current();
	return which == PRIO_PGRP ? who == 0 || who == 1 : who == 0;
}

long kcall_getpriority(int which, int who)
{
	struct thread *t;
	long best = -ESRCH;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	spin_lock(&threads_lock);
	list_for_each (t, &threads_all, all_node)
		if (concerned(t, which, who))
			best = max(best, 20l - t->nice);
	spin_unlock(&threads_lock);
	return best;
}

long kcall_setpriority(int which, int who, int nice)
{
	struct thread *t;
	long r = -ESRCH;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	nice = min(max(nice, NICE_MIN), NICE_MAX);
	spin_lock(&threads_lock);
	list_for_each (t, &threads_all, all_node) {
		if (!concerned(t, which, who))
			continue;
		thread_set_nice(t, nice);
		r = 0;
	}
	spin_unlock(&threads_lock);
	return r;
}

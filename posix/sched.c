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
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/lib/string.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/creds.h"
#include "kernel/sched/process.h"
#include "kernel/sched/thread.h"
#include "posix/calls.h"
#include "posix/limits.h"
#include "posix/process.h"
#include "posix/time_convert.h"

#define RT_PRIO_MAX 99
#define NICE_MIN    (-20)
#define NICE_MAX    19
#define NICE_KEEP   99

static bool is_realtime(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool policy_known(int policy)
{
	return is_realtime(policy) || policy == SCHED_NORMAL ||
	       policy == SCHED_BATCH || policy == SCHED_IDLE;
}

/* The thread, which can't go away until unlocked: NULL, nothing held.  For
 * what is the same for all, process 1 is whoever asks. */
static struct thread *find_lock(int tid)
{
	struct thread *t = thread_current();

	spin_lock(&threads_lock);
	if (tid && tid != PROCESS_INIT)
		t = thread_find_locked(tid);
	if (!t)
		spin_unlock(&threads_lock);
	return t;
}

static void unlock(void)
{
	spin_unlock(&threads_lock);
}

/* How something is scheduled. */
struct wish {
	int policy, prio, nice;
	bool reset;
};

/* Process 1 never runs, but it keeps what root says; [threads_lock] */
static struct wish of_init = {.policy = SCHED_NORMAL};

static bool wish_get_locked(int tid, struct wish *w)
{
	struct thread *t = tid ? thread_find_locked(tid) : thread_current();

	if (tid == PROCESS_INIT) {
		*w = of_init;
		return true;
	}
	if (t)
		*w = (struct wish){t->policy, max((int)t->base_prio, 0),
		    t->nice, t->reset_on_fork};
	return t != NULL;
}

static long wish_get(int tid, struct wish *w)
{
	bool found;

	if (tid < 0)
		return -EINVAL;
	spin_lock(&threads_lock);
	found = wish_get_locked(tid, w);
	spin_unlock(&threads_lock);
	return found ? 0 : -ESRCH;
}

static void wish_set_locked(int tid, const struct wish *w)
{
	struct thread *t = tid ? thread_find_locked(tid) : thread_current();

	if (tid == PROCESS_INIT) {
		of_init = *w;
		return;
	}
	thread_set_policy(t, w->policy, w->prio);
	thread_set_nice(t, w->nice);
	t->reset_on_fork = w->reset;
}

/* What sched(7) has under "Privileges and resource limits". */
struct rights {
	bool any, init;
	int prio, nice;
};

static struct rights rights_now(void)
{
	uint64_t prio = limit_soft(RLIMIT_RTPRIO);
	uint64_t nice = limit_soft(RLIMIT_NICE);

	return (struct rights){.any = creds_capable(CAP_SYS_NICE),
	    .init = process_may_touch_init(CAP_SYS_NICE),
	    .prio = (int)min(prio, (uint64_t)RT_PRIO_MAX),
	    .nice = 20 - (int)min(nice, 40ul)};
}

static bool may_change(const struct rights *r, int tid, const struct wish *was,
    const struct wish *new)
{
	if (r->any)
		return true;
	if (tid == PROCESS_INIT && !r->init)
		return false;
	if (is_realtime(new->policy) &&
	    ((new->policy != was->policy && !r->prio) ||
		(new->prio > was->prio &&new->prio > r->prio)))
		return false;
	if (was->policy == SCHED_IDLE && new->policy != SCHED_IDLE &&
	    was->nice < r->nice)
		return false;
	if (!is_realtime(new->policy) &&
	    new->nice < was->nice &&new->nice < r->nice)
		return false;
	return !was->reset || new->reset;
}

static bool wish_valid(const struct wish *w)
{
	if (!policy_known(w->policy))
		return false;
	return is_realtime(w->policy) ? w->prio >= 1 && w->prio <= RT_PRIO_MAX
				      : w->prio == 0;
}

/* Policy -1 and nice NICE_KEEP leave things as they are. */
static long wish_change(int tid, int policy, int prio, int nice)
{
	struct rights rights = rights_now();
	struct wish was, new;
	long err = 0;

	spin_lock(&threads_lock);
	if (!wish_get_locked(tid, &was)) {
		spin_unlock(&threads_lock);
		return -ESRCH;
	}
	new = was;
	new.prio = prio;
	if (nice != NICE_KEEP)
		new.nice = nice;
	if (policy != -1) {
		new.policy = policy & ~SCHED_RESET_ON_FORK;
		new.reset = policy &SCHED_RESET_ON_FORK;
	}
	if (!wish_valid(&new))
		err = -EINVAL;
	else if (!may_change(&rights, tid, &was, &new))
		err = -EPERM;
	else
		wish_set_locked(tid, &new);
	spin_unlock(&threads_lock);
	return err;
}

long kcall_sched_setscheduler(int tid, int policy, const int *param)
{
	int prio;

	if (policy < 0 || tid < 0 || !param)
		return -EINVAL;
	if (get_user(prio, param))
		return -EFAULT;
	return wish_change(tid, policy, prio, NICE_KEEP);
}

long kcall_sched_setparam(int tid, const int *param)
{
	int prio;

	if (tid < 0 || !param)
		return -EINVAL;
	if (get_user(prio, param))
		return -EFAULT;
	return wish_change(tid, -1, prio, NICE_KEEP);
}

/*
 * Where threads of process scope follow what is set for the process: those
 * that pthread_create() made so.  The right to do it was asked by the call
 * that set the process's own.
 */
long kcall_process_sched(void)
{
	struct wish w;
	struct thread *t;

	spin_lock(&threads_lock);
	if (!wish_get_locked(PROCESS_PID, &w))
		(void)wish_get_locked(0, &w);
	list_for_each (t, &threads_all, all_node)
		if (t->process_scope)
			thread_set_policy(t, w.policy, w.prio);
	spin_unlock(&threads_lock);
	return 0;
}

/* Threads that the caller creates from now on are of process scope, or not. */
long kcall_thread_scope(int process)
{
	thread_current()->spawn_process_scope = process;
	return 0;
}

long kcall_sched_getscheduler(int tid)
{
	struct wish w;
	long err = wish_get(tid, &w);

	return err ? err : w.policy | (w.reset ? SCHED_RESET_ON_FORK : 0);
}

long kcall_sched_getparam(int tid, int *param)
{
	struct wish w;
	long err = param ? wish_get(tid, &w) : -EINVAL;

	return err ? err : put_user(param, w.prio);
}

long kcall_sched_setattr(int tid, const struct sched_attr *user, unsigned flags)
{
	struct sched_attr a = {0};
	uint32_t size;

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
	return wish_change(tid,
	    (int)(a.sched_policy | (a.sched_flags ? SCHED_RESET_ON_FORK : 0u)),
	    (int)a.sched_priority,
	    is_realtime((int)a.sched_policy)
		? NICE_KEEP
		: min(max(a.sched_nice, NICE_MIN), NICE_MAX));
}

long kcall_sched_getattr(
    int tid, struct sched_attr *user, unsigned size, unsigned flags)
{
	struct sched_attr a = {.size = sizeof(a)};
	struct wish w;
	long err;

	if (tid < 0 || !user || flags || size < SCHED_ATTR_SIZE_VER0)
		return -EINVAL;
	err = wish_get(tid, &w);
	if (err)
		return err;
	a.sched_policy = (uint32_t)w.policy;
	a.sched_nice = w.nice;
	a.sched_priority = (uint32_t)w.prio;
	a.sched_flags = w.reset ? SCHED_FLAG_RESET_ON_FORK : 0;
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

/* Linux's mask here has a bit for each possible CPU, in whole words. */
static size_t mask_size(void)
{
	return ALIGN_UP(cpus_online, 64) / 8;
}

/* Of the CPUs that run; false if there are none of those in it. */
static bool mask_limit(struct cpumask *m)
{
	bool any = false;

	for (unsigned i = 0; i < CPUMASK_WORDS; i++) {
		unsigned base = i * 64;
		if (cpus_online <= base)
			m->word[i] = 0;
		else if (cpus_online < base + 64)
			m->word[i] &= (1ull << (cpus_online - base)) - 1;
		any |= m->word[i] != 0;
	}
	return any;
}

long kcall_sched_getaffinity(int tid, size_t len, void *mask)
{
	struct cpumask m;
	struct thread *t;

	if (len < mask_size() || len % 8)
		return -EINVAL;
	t = tid < 0 ? NULL : find_lock(tid);
	if (!t)
		return -ESRCH;
	m = thread_affinity(t);
	unlock();
	mask_limit(&m);
	return copy_out(mask, &m, mask_size()) ? -EFAULT : (long)mask_size();
}

long kcall_sched_setaffinity(int tid, size_t len, const void *mask)
{
	struct cpumask m = {{0}};
	struct thread *t;
	bool valid;

	if (copy_in(&m, mask, min(len, sizeof(m))))
		return -EFAULT;
	t = tid < 0 ? NULL : find_lock(tid);
	if (!t)
		return -ESRCH;
	valid = mask_limit(&m);
	if (valid && tid != PROCESS_INIT)
		thread_set_affinity(t, &m);
	unlock();
	if (tid == PROCESS_INIT && !process_may_touch_init(CAP_SYS_NICE))
		return -EPERM;
	return valid ? 0 : -EINVAL;
}

long kcall_getcpu(unsigned *cpu, unsigned *node)
{
	unsigned id = cpu_self()->id;

	if ((cpu && put_user(cpu, id)) || (node && put_user(node, 0u)))
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
	if (which == PRIO_PGRP)
		return who == 0 || who == PROCESS_PID;
	return who == 0 || (uint32_t)who == creds.uid.real;
}

static bool init_concerned(int which, int who)
{
	return which == PRIO_USER ? !who && !creds.uid.real
				  : who == PROCESS_INIT;
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
			best = max(best, 20L - t->nice);
	if (init_concerned(which, who))
		best = max(best, 20L - of_init.nice);
	spin_unlock(&threads_lock);
	return best;
}

static bool may_renice(const struct rights *r, int was, int nice)
{
	return r->any || nice >= was || nice >= r->nice;
}

static long renice_locked(
    const struct rights *r, struct thread *t, int nice, long result)
{
	if (!may_renice(r, t->nice, nice))
		return -EACCES;
	thread_set_nice(t, nice);
	return result == -ESRCH ? 0 : result;
}

static long renice_init_locked(const struct rights *r, int nice, long result)
{
	if (!r->init)
		return -EPERM;
	if (!may_renice(r, of_init.nice, nice))
		return -EACCES;
	of_init.nice = nice;
	return result == -ESRCH ? 0 : result;
}

long kcall_setpriority(int which, int who, int nice)
{
	struct rights rights = rights_now();
	struct thread *t;
	long r = -ESRCH;

	if (which < PRIO_PROCESS || which > PRIO_USER)
		return -EINVAL;
	nice = min(max(nice, NICE_MIN), NICE_MAX);
	spin_lock(&threads_lock);
	list_for_each (t, &threads_all, all_node)
		if (concerned(t, which, who))
			r = renice_locked(&rights, t, nice, r);
	if (init_concerned(which, who))
		r = renice_init_locked(&rights, nice, r);
	spin_unlock(&threads_lock);
	return r;
}

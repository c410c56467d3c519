/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System V semaphores: semget, semop, semctl.
 *
 * A set's operations happen at once or not at all: they are tried in order on
 * the values and undone when one of them can't go on.  SEM_UNDO needs nothing
 * more: what it would undo, at the end of the process, ends with it.
 */
#include <linux/sem.h>
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/process.h"
#include "posix/calls.h"
#include "posix/ipc.h"
#include "posix/time_convert.h"

#define NR_MAX  32000 /* Linux's SEMMSL */
#define OPS_MAX 500
#define VAL_MAX 32767

struct sem {
	uint16_t val;
	int pid;
	unsigned waits_more, waits_zero; /* threads: semncnt, semzcnt */
};

struct sem_set {
	struct ipc_object ipc;
	unsigned nr;
	int64_t otime;
	struct sem sems[];
};

static void set_release(struct ipc_object *o)
{
	kfree(container_of(o, struct sem_set, ipc));
}

static struct ipc_table sets = {
    .lock = MUTEX_INIT(sets.lock), .release = set_release};

static struct sem_set *set_find_locked(int id)
{
	struct ipc_object *o = ipc_find_locked(&sets, id);

	return o ? container_of(o, struct sem_set, ipc) : NULL;
}

static int set_suits(struct ipc_object *o, const void *nr)
{
	return container_of(o, struct sem_set, ipc)->nr <
		       (unsigned)*(const int *)nr
		   ? -EINVAL
		   : 0;
}

static int set_make(struct ipc_object **o, const void *arg)
{
	unsigned nr = (unsigned)*(const int *)arg;
	struct sem_set *s;

	if (!nr)
		return -EINVAL;
	s = kzalloc(sizeof(*s) + nr * sizeof(s->sems[0]));
	if (!s)
		return -ENOMEM;
	s->nr = nr;
	*o = &s->ipc;
	return 0;
}

long kcall_semget(int key, int nr, int flags)
{
	if (nr < 0 || nr > NR_MAX)
		return -EINVAL;
	return ipc_get(&sets, key, flags, set_suits, set_make, &nr);
}

/* Try all operations.  0, or -EAGAIN and which one can't go on, -ERANGE. */
static int ops_try_locked(struct sem_set *s, const struct sembuf *ops,
    unsigned nr, const struct sembuf **stuck)
{
	unsigned i;
	int err = 0;

	for (i = 0; i < nr && !err; i++) {
		struct sem *sem = &s->sems[ops[i].sem_num];
		int to = sem->val + ops[i].sem_op;
		if ((ops[i].sem_op == 0 && sem->val) || to < 0)
			err = -EAGAIN;
		else if (to > VAL_MAX)
			err = -ERANGE;
		else
			sem->val = (uint16_t)to;
	}
	if (!err)
		return 0;
	*stuck = &ops[--i];
	while (i--)
		s->sems[ops[i].sem_num].val -= (uint16_t)ops[i].sem_op;
	return err;
}

static void ops_done_locked(
    struct sem_set *s, const struct sembuf *ops, unsigned nr)
{
	bool altered = false;

	for (unsigned i = 0; i < nr; i++) {
		s->sems[ops[i].sem_num].pid = PROCESS_PID;
		altered |= ops[i].sem_op != 0;
	}
	s->otime = ipc_now();
	if (altered)
		ipc_changed(&s->ipc);
}

static int ops_wait_locked(
    struct sem_set *s, const struct sembuf *stuck, uint64_t deadline)
{
	struct sem *sem = &s->sems[stuck->sem_num];
	unsigned *count = stuck->sem_op ? &sem->waits_more : &sem->waits_zero;
	int err;

	s->ipc.refs++; /* for the count */
	++*count;
	err = ipc_wait_locked(&sets, &s->ipc, deadline);
	--*count;
	ipc_put_locked(&sets, &s->ipc);
	return err;
}

static long ops_do(
    int id, const struct sembuf *ops, unsigned nr, uint64_t deadline)
{
	const struct sembuf *stuck;
	struct sem_set *s;
	int err;

	MUTEX_GUARD(&sets.lock);
	s = set_find_locked(id);
	if (!s)
		return -EINVAL;
	for (unsigned i = 0; i < nr; i++)
		if (ops[i].sem_num >= s->nr)
			return -EFBIG;
	while ((err = ops_try_locked(s, ops, nr, &stuck)) == -EAGAIN) {
		if (stuck->sem_flg & IPC_NOWAIT)
			return -EAGAIN;
		err = ops_wait_locked(s, stuck, deadline);
		if (err)
			return err;
	}
	if (!err)
		ops_done_locked(s, ops, nr);
	return err;
}

long kcall_semtimedop(int id, const struct sembuf *user, size_t nr,
    const struct __kernel_timespec *timeout)
{
	uint64_t ns, deadline = DEADLINE_NEVER;
	struct sembuf *ops;
	long err;

	if (!nr || id < 0)
		return -EINVAL;
	if (nr > OPS_MAX)
		return -E2BIG;
	if (timeout) {
		err = timespec_import(timeout, &ns);
		if (err)
			return err;
		deadline = deadline_after(ns);
	}
	ops = kmalloc(nr * sizeof(*ops));
	if (!ops)
		return -ENOMEM;
	err = copy_in(ops, user, nr * sizeof(*ops));
	if (!err)
		err = ops_do(id, ops, (unsigned)nr, deadline);
	kfree(ops);
	return err;
}

long kcall_semop(int id, const struct sembuf *ops, size_t nr)
{
	return kcall_semtimedop(id, ops, nr, NULL);
}

static long one_get_locked(struct sem_set *s, const struct sem *sem, int cmd)
{
	(void)s;
	switch (cmd) {
	case GETVAL:
		return sem->val;
	case GETPID:
		return sem->pid;
	case GETNCNT:
		return sem->waits_more;
	default:
		return sem->waits_zero;
	}
}

static long one_ctl(int id, int num, int cmd, int val)
{
	struct sem_set *s;

	MUTEX_GUARD(&sets.lock);
	s = set_find_locked(id);
	if (!s || num < 0 || (unsigned)num >= s->nr)
		return -EINVAL;
	if (cmd != SETVAL)
		return one_get_locked(s, &s->sems[num], cmd);
	if (val < 0 || val > VAL_MAX)
		return -ERANGE;
	s->sems[num].val = (uint16_t)val;
	s->sems[num].pid = PROCESS_PID;
	s->ipc.ctime = ipc_now();
	ipc_changed(&s->ipc);
	return 0;
}

static int all_set_locked(struct sem_set *s, const uint16_t *vals)
{
	for (unsigned i = 0; i < s->nr; i++)
		if (vals[i] > VAL_MAX)
			return -ERANGE;
	for (unsigned i = 0; i < s->nr; i++) {
		s->sems[i].val = vals[i];
		s->sems[i].pid = PROCESS_PID;
	}
	s->ipc.ctime = ipc_now();
	ipc_changed(&s->ipc);
	return 0;
}

/* How many semaphores set id has, or -EINVAL. */
static int set_size(int id)
{
	struct sem_set *s;

	MUTEX_GUARD(&sets.lock);
	s = set_find_locked(id);
	return s ? (int)s->nr : -EINVAL;
}

static int all_locked(int id, int nr, bool set, uint16_t *vals)
{
	struct sem_set *s;

	MUTEX_GUARD(&sets.lock);
	s = set_find_locked(id);
	if (!s || (int)s->nr != nr)
		return -EIDRM;
	if (set)
		return all_set_locked(s, vals);
	for (int i = 0; i < nr; i++)
		vals[i] = s->sems[i].val;
	return 0;
}

static long all_ctl(int id, bool set, uint16_t *user)
{
	int nr = set_size(id), err = 0;
	size_t bytes = (size_t)nr * sizeof(*user);
	uint16_t *vals;

	if (nr < 0)
		return nr;
	vals = kmalloc(bytes);
	if (!vals)
		return -ENOMEM;
	if (set)
		err = copy_in(vals, user, bytes);
	if (!err)
		err = all_locked(id, nr, set, vals);
	if (!err && !set)
		err = copy_out(user, vals, bytes);
	kfree(vals);
	return err;
}

static long set_stat(int id, int cmd, struct semid64_ds *user)
{
	struct semid64_ds ds = {.sem_nsems = 0};
	struct ipc_object *o;
	struct sem_set *s;

	mutex_lock(&sets.lock);
	o = ipc_stat_locked(&sets, id, cmd != IPC_STAT);
	if (o) {
		s = container_of(o, struct sem_set, ipc);
		ds.sem_perm = o->perm;
		ds.sem_otime = s->otime;
		ds.sem_ctime = o->ctime;
		ds.sem_nsems = s->nr;
		id = o->id;
	}
	mutex_unlock(&sets.lock);
	if (!o)
		return -EINVAL;
	if (copy_out(user, &ds, sizeof(ds)))
		return -EFAULT;
	return cmd == IPC_STAT ? 0 : id;
}

static long set_change(int id, int cmd, const struct semid64_ds *user)
{
	struct semid64_ds ds;
	struct ipc_object *o;

	if (cmd == IPC_SET && copy_in(&ds, user, sizeof(ds)))
		return -EFAULT;
	MUTEX_GUARD(&sets.lock);
	o = ipc_find_locked(&sets, id);
	if (!o)
		return -EINVAL;
	if (cmd == IPC_SET)
		ipc_set_locked(o, &ds.sem_perm);
	else
		ipc_remove_locked(&sets, o);
	return 0;
}

long kcall_semctl(int id, int num, int cmd, unsigned long arg)
{
	switch (cmd) {
	case GETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
	case SETVAL:
		return one_ctl(id, num, cmd, (int)arg);
	case GETALL:
	case SETALL:
		return all_ctl(id, cmd == SETALL, (uint16_t *)arg);
	case IPC_STAT:
	case SEM_STAT:
		return set_stat(id, cmd, (struct semid64_ds *)arg);
	case IPC_SET:
	case IPC_RMID:
		return set_change(id, cmd, (const struct semid64_ds *)arg);
	}
	return -EINVAL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Ids and keys of System V IPC; see ipc.h.  An id holds a slot and a sequence
 * number, so that an id of a removed object stays invalid for long. */
#include "posix/ipc.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/thread.h"

#define SEQ_SHIFT 15 /* Linux's */
#define SEQ_MASK  0x7fff
#define MODE_MASK 0777

int64_t ipc_now(void)
{
	return (int64_t)(clock_realtime() / NSEC_PER_SEC);
}

static struct ipc_object *by_key_locked(struct ipc_table *t, int key)
{
	for (unsigned i = 0; i < IPC_SLOTS; i++)
		if (t->objects[i] && t->objects[i]->perm.key == key)
			return t->objects[i];
	return NULL;
}

static long add_locked(
    struct ipc_table *t, struct ipc_object *o, int key, int flags, unsigned i)
{
	o->perm.key = key;
	o->perm.mode = (unsigned)flags & MODE_MASK;
	o->perm.seq = t->seq = (t->seq + 1) & SEQ_MASK;
	o->id = (int)((unsigned)t->seq << SEQ_SHIFT | i);
	o->refs = 1;
	o->ctime = ipc_now();
	waitq_init(&o->wait);
	t->objects[i] = o;
	return o->id;
}

long ipc_get(struct ipc_table *t, int key, int flags,
    int (*suits)(struct ipc_object *o, const void *arg),
    int (*make)(struct ipc_object **o, const void *arg), const void *arg)
{
	struct ipc_object *o = NULL;
	unsigned i = 0;
	int err;

	MUTEX_GUARD(&t->lock);
	if (key != IPC_PRIVATE)
		o = by_key_locked(t, key);
	if (o) {
		if (flags & IPC_CREAT && flags & IPC_EXCL)
			return -EEXIST;
		err = suits(o, arg);
		return err ? err : o->id;
	}
	if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
		return -ENOENT;
	while (i < IPC_SLOTS && t->objects[i])
		i++;
	if (i == IPC_SLOTS)
		return -ENOSPC;
	err = make(&o, arg);
	return err ? err : add_locked(t, o, key, flags, i);
}

struct ipc_object *ipc_find_locked(struct ipc_table *t, int id)
{
	unsigned i = (unsigned)id & ((1u << SEQ_SHIFT) - 1);
	struct ipc_object *o;

	if (id < 0 || i >= IPC_SLOTS)
		return NULL;
	o = t->objects[i];
	return o && o->id == id ? o : NULL;
}

struct ipc_object *ipc_stat_locked(struct ipc_table *t, int id, bool by_slot)
{
	if (!by_slot)
		return ipc_find_locked(t, id);
	return id >= 0 && id < IPC_SLOTS ? t->objects[id] : NULL;
}

void ipc_put_locked(struct ipc_table *t, struct ipc_object *o)
{
	if (--o->refs == 0)
		t->release(o);
}

void ipc_remove_locked(struct ipc_table *t, struct ipc_object *o)
{
	t->objects[(unsigned)o->id & ((1u << SEQ_SHIFT) - 1)] = NULL;
	o->removed = true;
	ipc_changed(o);
	ipc_put_locked(t, o);
}

void ipc_set_locked(struct ipc_object *o, const struct ipc64_perm *p)
{
	o->perm.uid = p->uid;
	o->perm.gid = p->gid;
	o->perm.mode =
	    (o->perm.mode & ~(unsigned)MODE_MASK) | (p->mode & MODE_MASK);
	o->ctime = ipc_now();
}

void ipc_changed(struct ipc_object *o)
{
	waitq_wake_all(&o->wait, 0);
}

int ipc_wait_locked(
    struct ipc_table *t, struct ipc_object *o, uint64_t deadline)
{
	struct waiter w;
	int err;

	o->refs++;
	waiter_init(&w);
	waitq_add(&o->wait, &w);
	mutex_unlock(&t->lock);
	err = thread_sleep(deadline, true);
	mutex_lock(&t->lock);
	waitq_remove(&o->wait, &w);
	if (o->removed)
		err = -EIDRM;
	else if (err)
		err = err == -ETIMEDOUT ? -EAGAIN : -EINTR;
	ipc_put_locked(t, o);
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the three kinds of System V IPC share: a table of objects by id and
 * by key, and their permissions; svipc(7).
 *
 * The table's lock covers the table and all of its objects.  Whoever waits
 * for an object drops the lock and holds a reference; an object that was
 * removed meanwhile says so.
 */
#ifndef TORIL_POSIX_IPC_H
#define TORIL_POSIX_IPC_H

#include <linux/ipc.h>
#include "kernel/sched/mutex.h"

#define IPC_SLOTS 256 /* objects of a kind */

struct ipc_object {
	struct ipc64_perm perm; /* [table lock] */
	int id;                 /* [i] */
	uint32_t refs;          /* [table lock] the table's is one */
	bool removed;           /* [table lock] */
	int64_t ctime;          /* [table lock] seconds since 1970 */
	struct waitq wait;      /* its state has changed */
};

struct ipc_table {
	struct mutex lock;
	struct ipc_object *objects[IPC_SLOTS]; /* [lock] */
	uint16_t seq;                          /* [lock] */
	/* Free an object without references.  Lock held. */
	void (*release)(struct ipc_object *o);
};

/*
 * xxxget(): the id of the object with this key, or of a new one, which
 * make(arg) allocates; suits(o, arg) judges one that was there, 0 or -errno.
 * -ENOENT, -EEXIST, -ENOSPC, -ENOMEM.  May sleep.
 */
long ipc_get(struct ipc_table *t, int key, int flags,
    int (*suits)(struct ipc_object *o, const void *arg),
    int (*make)(struct ipc_object **o, const void *arg), const void *arg);

/* The object with this id, or NULL (-EINVAL).  Lock held. */
struct ipc_object *ipc_find_locked(struct ipc_table *t, int id);

/* For IPC_STAT, or, by slot in the table, MSG_STAT and its like.  Lock held. */
struct ipc_object *ipc_stat_locked(struct ipc_table *t, int id, bool by_slot);

/* Drop a reference.  Lock held. */
void ipc_put_locked(struct ipc_table *t, struct ipc_object *o);

/* IPC_RMID: take it out of the table and wake who waits.  Lock held. */
void ipc_remove_locked(struct ipc_table *t, struct ipc_object *o);

/* IPC_SET of owner and mode.  Lock held. */
void ipc_set_locked(struct ipc_object *o, const struct ipc64_perm *p);

int64_t ipc_now(void); /* seconds since 1970 */

/*
 * Wait until o may have changed: drops the lock, sleeps, takes it again.
 * 0 to look again, -EIDRM, -EINTR, -EAGAIN once the deadline has passed.
 */
int ipc_wait_locked(
    struct ipc_table *t, struct ipc_object *o, uint64_t deadline);

/* The object is different now.  Lock held. */
void ipc_changed(struct ipc_object *o);

#endif

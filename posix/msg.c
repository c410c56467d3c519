/* SPDX-License-Identifier: BSD-2-Clause */
/* System V message queues: msgget, msgsnd, msgrcv, msgctl. */
#include <linux/msg.h>
#include "kernel/lib/list.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/process.h"
#include "posix/calls.h"
#include "posix/ipc.h"

#define TEXT_MAX    8192  /* Linux's MSGMAX */
#define QBYTES      16384 /* Linux's MSGMNB */
#define MSG_NOERROR 010000
#define MSG_EXCEPT  020000
#define MSG_COPY    040000

struct msg {
	struct list node;
	long type;
	size_t size;
	char text[];
};

struct msg_queue {
	struct ipc_object ipc;
	struct list msgs; /* [table lock] oldest first */
	uint64_t nr, bytes, bytes_max;
	int64_t stime, rtime;
	int last_send, last_receive; /* pids */
};

static void queue_release(struct ipc_object *o)
{
	struct msg_queue *q = container_of(o, struct msg_queue, ipc);
	struct msg *m, *tmp;

	list_for_each_safe (m, tmp, &q->msgs, node)
		kfree(m);
	kfree(q);
}

static struct ipc_table queues = {
    .lock = MUTEX_INIT(queues.lock), .release = queue_release};

static struct msg_queue *queue_find_locked(int id)
{
	struct ipc_object *o = ipc_find_locked(&queues, id);

	return o ? container_of(o, struct msg_queue, ipc) : NULL;
}

static int queue_suits(struct ipc_object *o, const void *arg)
{
	(void)o, (void)arg;
	return 0;
}

static int queue_make(struct ipc_object **o, const void *arg)
{
	struct msg_queue *q = kzalloc(sizeof(*q));

	(void)arg;
	if (!q)
		return -ENOMEM;
	list_init(&q->msgs);
	q->bytes_max = QBYTES;
	*o = &q->ipc;
	return 0;
}

long kcall_msgget(int key, int flags)
{
	return ipc_get(&queues, key, flags, queue_suits, queue_make, NULL);
}

static long send(int id, struct msg *m, int flags)
{
	struct msg_queue *q;
	int err;

	MUTEX_GUARD(&queues.lock);
	q = queue_find_locked(id);
	if (!q)
		return -EINVAL;
	while (q->bytes + m->size > q->bytes_max || q->nr >= q->bytes_max) {
		if (flags & IPC_NOWAIT)
			return -EAGAIN;
		err = ipc_wait_locked(&queues, &q->ipc, DEADLINE_NEVER);
		if (err)
			return err;
	}
	list_push_back(&q->msgs, &m->node);
	q->nr++;
	q->bytes += m->size;
	q->stime = ipc_now();
	q->last_send = PROCESS_PID;
	ipc_changed(&q->ipc);
	return 0;
}

long kcall_msgsnd(int id, const long *user, size_t size, int flags)
{
	struct msg *m;
	long err, type;

	if (size > TEXT_MAX || id < 0)
		return -EINVAL;
	if (get_user(type, user))
		return -EFAULT;
	if (type < 1)
		return -EINVAL;
	m = kmalloc(sizeof(*m) + size);
	if (!m)
		return -ENOMEM;
	m->type = type;
	m->size = size;
	err = copy_in(m->text, user + 1, size);
	if (!err)
		err = send(id, m, flags);
	if (err)
		kfree(m);
	return err;
}

/* type 0: the oldest; > 0: of that type, or with MSG_EXCEPT of another; < 0:
 * of the lowest type that is at most -type. */
static struct msg *pick_locked(struct msg_queue *q, long type, int flags)
{
	struct msg *m, *best = NULL;

	list_for_each (m, &q->msgs, node) {
		if (type == 0)
			return m;
		if (type > 0) {
			if ((m->type == type) == !(flags & MSG_EXCEPT))
				return m;
		} else if (m->type <= (type == INT64_MIN ? INT64_MAX : -type) &&
			   (!best || m->type < best->type)) {
			best = m;
		}
	}
	return best;
}

static long receive(int id, size_t size, long type, int flags, struct msg **out)
{
	struct msg_queue *q;
	struct msg *m;
	int err;

	MUTEX_GUARD(&queues.lock);
	q = queue_find_locked(id);
	if (!q)
		return -EINVAL;
	while (!(m = pick_locked(q, type, flags))) {
		if (flags & IPC_NOWAIT)
			return -ENOMSG;
		err = ipc_wait_locked(&queues, &q->ipc, DEADLINE_NEVER);
		if (err)
			return err;
	}
	if (m->size > size && !(flags & MSG_NOERROR))
		return -E2BIG;
	list_remove(&m->node);
	q->nr--;
	q->bytes -= m->size;
	q->rtime = ipc_now();
	q->last_receive = PROCESS_PID;
	ipc_changed(&q->ipc);
	*out = m;
	return 0;
}

long kcall_msgrcv(int id, long *user, size_t size, long type, int flags)
{
	struct msg *m;
	size_t n;
	long err;

	if (id < 0 || (ssize_t)size < 0)
		return -EINVAL;
	if (flags & MSG_COPY)
		return -ENOSYS; /* as Linux without checkpoint support */
	err = receive(id, size, type, flags, &m);
	if (err)
		return err;
	n = min(size, m->size);
	if (put_user(user, m->type) || copy_out(user + 1, m->text, n))
		err = -EFAULT;
	kfree(m);
	return err ? err : (long)n;
}

static long queue_stat(int id, int cmd, struct msqid64_ds *user)
{
	struct msqid64_ds ds = {.msg_qnum = 0};
	struct ipc_object *o;

	mutex_lock(&queues.lock);
	o = ipc_stat_locked(&queues, id, cmd != IPC_STAT);
	if (o) {
		struct msg_queue *q = container_of(o, struct msg_queue, ipc);
		ds.msg_perm = o->perm;
		ds.msg_stime = q->stime;
		ds.msg_rtime = q->rtime;
		ds.msg_ctime = o->ctime;
		ds.msg_cbytes = q->bytes;
		ds.msg_qnum = q->nr;
		ds.msg_qbytes = q->bytes_max;
		ds.msg_lspid = q->last_send;
		ds.msg_lrpid = q->last_receive;
		id = o->id;
	}
	mutex_unlock(&queues.lock);
	if (!o)
		return -EINVAL;
	if (copy_out(user, &ds, sizeof(ds)))
		return -EFAULT;
	return cmd == IPC_STAT ? 0 : id;
}

static long queue_change(int id, int cmd, const struct msqid64_ds *user)
{
	struct msqid64_ds ds;
	struct msg_queue *q;

	if (cmd == IPC_SET && copy_in(&ds, user, sizeof(ds)))
		return -EFAULT;
	MUTEX_GUARD(&queues.lock);
	q = queue_find_locked(id);
	if (!q)
		return -EINVAL;
	if (cmd == IPC_SET) {
		ipc_set_locked(&q->ipc, &ds.msg_perm);
		q->bytes_max = ds.msg_qbytes;
		ipc_changed(&q->ipc);
	} else {
		ipc_remove_locked(&queues, &q->ipc);
	}
	return 0;
}

long kcall_msgctl(int id, int cmd, struct msqid64_ds *arg)
{
	switch (cmd) {
	case IPC_STAT:
	case MSG_STAT:
		return queue_stat(id, cmd, arg);
	case IPC_SET:
	case IPC_RMID:
		return queue_change(id, cmd, arg);
	}
	return -EINVAL;
}

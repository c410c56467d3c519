/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System V shared memory, and memfd_create(2): files of tmpfs without a name.
 *
 * A segment is such a file, an attachment a shared mapping of it.  A segment
 * that is removed while attached stays, without its key, until the last
 * shmdt().
 */
#include <asm/shmbuf.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include "kernel/fs/file.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/page.h"
#include "kernel/mm/uaccess.h"
#include "kernel/mm/vm.h"
#include "kernel/sched/process.h"
#include "posix/calls.h"
#include "posix/fs.h"
#include "posix/ipc.h"

/* linux/shm.h's, which wants a C library. */
#define SHM_RDONLY    010000
#define SHM_RND       020000
#define SHM_REMAP     040000
#define SHM_EXEC      0100000
#define SHM_LOCK      11
#define SHM_UNLOCK    12
#define SHM_STAT      13
#define MEMFD_NAME    250 /* longest, with its end */
#define SHM_DEST_MODE 01000u

struct shm {
	struct ipc_object ipc;
	struct file *file;
	size_t size;
	int64_t atime, dtime;
	int last; /* pid */
	unsigned attached;
};

struct attachment {
	struct list node;
	uintptr_t addr;
	struct shm *shm;
};

static void shm_release(struct ipc_object *o)
{
	struct shm *s = container_of(o, struct shm, ipc);

	file_put(s->file);
	kfree(s);
}

static struct ipc_table segments = {
    .lock = MUTEX_INIT(segments.lock), .release = shm_release};
static struct list attachments = LIST_INIT(attachments); /* [segments.lock] */

static struct shm *shm_find_locked(int id)
{
	struct ipc_object *o = ipc_find_locked(&segments, id);

	return o ? container_of(o, struct shm, ipc) : NULL;
}

static int shm_suits(struct ipc_object *o, const void *size)
{
	return container_of(o, struct shm, ipc)->size < *(const size_t *)size
		   ? -EINVAL
		   : 0;
}

static int shm_make(struct ipc_object **o, const void *arg)
{
	size_t size = *(const size_t *)arg;
	struct shm *s;
	int err;

	if (!size || size > INT64_MAX)
		return -EINVAL;
	if (size > page_total())
		return -ENOMEM;
	s = kzalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	err = tmpfs_anonymous(ALIGN_UP(size, PAGE_SIZE), 0, &s->file);
	if (err) {
		kfree(s);
		return err;
	}
	s->size = size;
	*o = &s->ipc;
	return 0;
}

long kcall_shmget(int key, size_t size, int flags)
{
	return ipc_get(&segments, key, flags, shm_suits, shm_make, &size);
}

static long attach_locked(
    struct shm *s, struct attachment *a, uintptr_t addr, int flags)
{
	unsigned prot = PROT_READ, map = MAP_SHARED;
	long r;

	if (!(flags & SHM_RDONLY))
		prot |= PROT_WRITE;
	if (flags & SHM_EXEC)
		prot |= PROT_EXEC;
	if (addr)
		map |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	r = vm_mmap(addr, ALIGN_UP(s->size, PAGE_SIZE), prot, map, s->file, 0);
	if (r < 0)
		return r == -EEXIST ? -EINVAL : r;
	*a = (struct attachment){.addr = (uintptr_t)r, .shm = s};
	list_push_back(&attachments, &a->node);
	s->attached++;
	s->ipc.refs++;
	s->atime = ipc_now();
	s->last = PROCESS_PID;
	return r;
}

long kcall_shmat(int id, uintptr_t addr, int flags)
{
	struct attachment *a;
	struct shm *s;
	long r = -EINVAL;

	if (addr & (PAGE_SIZE - 1)) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		addr &= PAGE_MASK;
	}
	if (!addr && flags & SHM_REMAP)
		return -EINVAL;
	a = kmalloc(sizeof(*a));
	if (!a)
		return -ENOMEM;
	mutex_lock(&segments.lock);
	s = shm_find_locked(id);
	if (s)
		r = attach_locked(s, a, addr, flags);
	mutex_unlock(&segments.lock);
	if (r < 0)
		kfree(a);
	return r;
}

static void detach_locked(struct attachment *a)
{
	struct shm *s = a->shm;

	(void)vm_munmap(a->addr, ALIGN_UP(s->size, PAGE_SIZE));
	list_remove(&a->node);
	kfree(a);
	s->dtime = ipc_now();
	s->last = PROCESS_PID;
	if (--s->attached == 0 && s->ipc.perm.mode & SHM_DEST_MODE)
		ipc_remove_locked(&segments, &s->ipc);
	ipc_put_locked(&segments, &s->ipc);
}

long kcall_shmdt(uintptr_t addr)
{
	struct attachment *a;

	MUTEX_GUARD(&segments.lock);
	list_for_each (a, &attachments, node) {
		if (a->addr == addr) {
			detach_locked(a);
			return 0;
		}
	}
	return -EINVAL;
}

static long shm_stat(int id, int cmd, struct shmid64_ds *user)
{
	struct shmid64_ds ds = {.shm_nattch = 0};
	struct ipc_object *o;

	mutex_lock(&segments.lock);
	o = ipc_stat_locked(&segments, id, cmd != IPC_STAT);
	if (o) {
		struct shm *s = container_of(o, struct shm, ipc);
		ds.shm_perm = o->perm;
		ds.shm_segsz = s->size;
		ds.shm_atime = s->atime;
		ds.shm_dtime = s->dtime;
		ds.shm_ctime = o->ctime;
		ds.shm_cpid = PROCESS_PID;
		ds.shm_lpid = s->last;
		ds.shm_nattch = s->attached;
		id = o->id;
	}
	mutex_unlock(&segments.lock);
	if (!o)
		return -EINVAL;
	if (copy_out(user, &ds, sizeof(ds)))
		return -EFAULT;
	return cmd == IPC_STAT ? 0 : id;
}

static long shm_change(int id, int cmd, const struct shmid64_ds *user)
{
	struct shmid64_ds ds;
	struct shm *s;

	if (cmd == IPC_SET && copy_in(&ds, user, sizeof(ds)))
		return -EFAULT;
	MUTEX_GUARD(&segments.lock);
	s = shm_find_locked(id);
	if (!s)
		return -EINVAL;
	if (cmd == IPC_SET) {
		ipc_set_locked(&s->ipc, &ds.shm_perm);
	} else if (s->attached) {
		s->ipc.perm.mode |= SHM_DEST_MODE;
		s->ipc.perm.key = IPC_PRIVATE;
	} else {
		ipc_remove_locked(&segments, &s->ipc);
	}
	return 0;
}

long kcall_shmctl(int id, int cmd, struct shmid64_ds *arg)
{
	switch (cmd) {
	case IPC_STAT:
	case SHM_STAT:
		return shm_stat(id, cmd, arg);
	case IPC_SET:
	case IPC_RMID:
		return shm_change(id, cmd, arg);
	case SHM_LOCK: /* memory is never swapped out */
	case SHM_UNLOCK:
		mutex_lock(&segments.lock);
		cmd = shm_find_locked(id) ? 0 : -EINVAL;
		mutex_unlock(&segments.lock);
		return cmd;
	}
	return -EINVAL;
}

/* Sealing is not offered. */
long kcall_memfd_create(const char *user, unsigned flags)
{
	char name[MEMFD_NAME];
	struct file *f;
	ssize_t n;
	int err;

	if (flags & ~(unsigned)MFD_CLOEXEC)
		return -EINVAL;
	n = copy_in_string(name, user, sizeof(name));
	if (n < 0)
		return n == -ENAMETOOLONG ? -EINVAL : n;
	err = tmpfs_anonymous(0, O_RDWR, &f);
	return err ? err : fs_install(f, flags & MFD_CLOEXEC);
}

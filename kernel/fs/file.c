/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open files and the descriptor table; see file.h.
 *
 * The table is one array of pointers that grows by doubling, with the
 * close-on-exec flag and what is known of a device in the pointer's low bits.
 * table_lock is for changes; looking a descriptor up takes no lock, but the
 * file is protected by a hazard pointer until its reference is counted.  An
 * array that was outgrown stays, since somebody may still be reading it: all of
 * them together are no larger than the last.
 */
#include <asm/stat.h>
#include "kernel/fs/file.h"
#include "kernel/fs/inotify.h"
#include "kernel/fs/record_lock.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/hazard.h"

#define FIRST_SIZE 32
#define CLOEXEC    1ul
#define RESERVED   CLOEXEC /* and no file */

unsigned fd_limit = 1024, fd_limit_max = FD_LIMIT_MOST;
read_mostly void (*file_epoll_forget)(struct file *f);

own_line static struct spinlock table_lock = SPINLOCK_INIT;
static unsigned table_low;          /* [table_lock] none is free below */
read_mostly uintptr_t *fd_table;    /* [a] struct file *, CLOEXEC, FILE_* */
read_mostly unsigned fd_table_size; /* [table_lock]; set after fd_table */

ssize_t file_no_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	(void)f, (void)it, (void)pos;
	return -EINVAL;
}

ssize_t file_no_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
	(void)f, (void)it, (void)pos;
	return -EINVAL;
}

int64_t file_no_seek(struct file *f, int64_t off, int whence)
{
	(void)f, (void)off, (void)whence;
	return -ESPIPE;
}

int64_t file_noop_seek(struct file *f, int64_t off, int whence)
{
	(void)f, (void)off, (void)whence;
	return 0;
}

unsigned file_always_ready(struct file *f, struct poll_table *pt)
{
	(void)f, (void)pt;
	return POLL_IN | POLL_OUT;
}

long file_no_ioctl(struct file *f, unsigned cmd, unsigned long arg)
{
	(void)f, (void)cmd, (void)arg;
	return -ENOTTY;
}

int file_anonymous_stat(struct file *f, struct stat *st)
{
	(void)f;
	memset(st, 0, sizeof(*st));
	st->st_mode = 0600;
	st->st_nlink = 1;
	st->st_blksize = 4096;
	return 0;
}

int file_no_mmap(struct file *f, struct vm_region *r)
{
	(void)f, (void)r;
	return -ENODEV;
}

int file_no_flush(struct file *f)
{
	(void)f;
	return 0;
}

int file_no_fsync(struct file *f, bool data_only)
{
	(void)f, (void)data_only;
	return -EINVAL;
}

struct file *file_alloc(const struct file_ops *ops, unsigned flags)
{
	struct file *f = kzalloc(sizeof(*f));

	if (!f)
		return NULL;
	f->ops = ops;
	f->refs = 1;
	f->flags = flags;
	mutex_init(&f->pos_lock);
	list_init(&f->epolls);
	return f;
}

void file_ref(struct file *f)
{
	__atomic_add_fetch(&f->refs, 1, __ATOMIC_RELAXED);
}

void file_put(struct file *f)
{
	assert(f->refs > 0);
	if (__atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL))
		return;
	if (!list_empty(&f->epolls))
		file_epoll_forget(f);
	if (f->flock)
		flock_drop(f);
	if (f->inode) {
		record_lock_drop(f, f);
		fs_notify_file(
		    f, (f->flags & 3) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
	}
	f->ops->release(f);
	hazard_wait(f);
	kfree(f);
}

/* Any close ends the process's record locks on that file. */
static int descriptor_closed(struct file *f)
{
	if (f->inode)
		record_lock_drop(f, NULL);
	return f->ops->flush(f);
}

static struct file *entry_file(uintptr_t e)
{
	return (struct file *)(e & ~(CLOEXEC | FILE_INSTANT));
}

static uintptr_t entry_of(const struct file *f, bool cloexec)
{
	return (uintptr_t)f | f->instant | (cloexec ? CLOEXEC : 0);
}

static void entry_set(unsigned fd, uintptr_t e)
{
	__atomic_store_n(&fd_table[fd], e, __ATOMIC_SEQ_CST);
}

/* A reference, unless the last one has just been dropped: it is closed. */
static bool ref_unless_gone(struct file *f)
{
	uint32_t refs = __atomic_load_n(&f->refs, __ATOMIC_RELAXED);

	while (refs)
		if (__atomic_compare_exchange_n(&f->refs, &refs, refs + 1,
			false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}

struct file *fd_get(int fd)
{
	uintptr_t *entry;
	struct file *f;

	for (;;) {
		/* Never more than the array has: it is set first. */
		if ((unsigned)fd >=
		    __atomic_load_n(&fd_table_size, __ATOMIC_ACQUIRE))
			return NULL;
		entry = __atomic_load_n(&fd_table, __ATOMIC_ACQUIRE) + fd;
		f = entry_file(__atomic_load_n(entry, __ATOMIC_ACQUIRE));
		if (!f)
			return NULL;
		hazard_set(f);
		if (entry ==
			__atomic_load_n(&fd_table, __ATOMIC_ACQUIRE) + fd &&
		    f == entry_file(__atomic_load_n(entry, __ATOMIC_ACQUIRE)))
			break;
		hazard_clear(); /* who closed it may be waiting for that */
	}
	if (!ref_unless_gone(f))
		f = NULL;
	hazard_clear();
	return f;
}

/* Make the table hold `fd`; drops the lock meanwhile, so that everything has
 * to be looked at anew. */
static int grow_locked(unsigned fd)
{
	unsigned size = fd_table_size ? fd_table_size : FIRST_SIZE;
	uintptr_t *bigger;

	while (size <= fd)
		size *= 2;
	spin_unlock(&table_lock);
	bigger = kzalloc(size * sizeof(*fd_table));
	spin_lock(&table_lock);
	if (!bigger)
		return -ENOMEM;
	if (size <= fd_table_size) {
		kfree(bigger);
		return 0;
	}
	if (fd_table_size)
		memcpy(bigger, fd_table, fd_table_size * sizeof(*fd_table));
	__atomic_store_n(&fd_table, bigger, __ATOMIC_RELEASE);
	__atomic_store_n(&fd_table_size, size, __ATOMIC_RELEASE);
	return 0;
}

/* Put `e` into the first free place from `low` on. */
static int entry_install(uintptr_t e, int low)
{
	unsigned fd;
	int err;

	spin_lock(&table_lock);
	for (;;) {
		fd = max((unsigned)low, table_low);
		while (fd < fd_table_size && fd_table[fd])
			fd++;
		err = fd >= fd_limit ? -EMFILE : 0;
		if (fd < fd_table_size || err)
			break;
		err = grow_locked(fd);
		if (err)
			break;
	}
	if (err) {
		spin_unlock(&table_lock);
		return err;
	}
	entry_set(fd, e);
	if ((unsigned)low <= table_low)
		table_low = fd + 1;
	spin_unlock(&table_lock);
	return (int)fd;
}

int fd_install(struct file *f, int low, bool cloexec)
{
	return entry_install(entry_of(f, cloexec), low);
}

int fd_reserve(void)
{
	return entry_install(RESERVED, 0);
}

void fd_fill(int fd, struct file *f, bool cloexec)
{
	spin_lock(&table_lock);
	assert(fd_table[fd] == RESERVED);
	entry_set((unsigned)fd, entry_of(f, cloexec));
	spin_unlock(&table_lock);
}

void fd_unreserve(int fd)
{
	spin_lock(&table_lock);
	assert(fd_table[fd] == RESERVED);
	entry_set((unsigned)fd, 0);
	table_low = min(table_low, (unsigned)fd);
	spin_unlock(&table_lock);
}

int fd_replace(struct file *f, int fd, bool cloexec)
{
	struct file *old;
	int err = 0;

	if (fd < 0 || (unsigned)fd >= fd_limit)
		return -EBADF;
	spin_lock(&table_lock);
	if ((unsigned)fd >= fd_table_size)
		err = grow_locked((unsigned)fd);
	if (!err && fd_table[fd] == RESERVED)
		err = -EBUSY;
	if (err) {
		spin_unlock(&table_lock);
		return err;
	}
	old = entry_file(fd_table[fd]);
	entry_set((unsigned)fd, entry_of(f, cloexec));
	spin_unlock(&table_lock);
	if (old) {
		(void)descriptor_closed(old);
		file_put(old);
	}
	return fd;
}

static struct file *take(unsigned fd)
{
	struct file *f = NULL;

	spin_lock(&table_lock);
	if (fd < fd_table_size)
		f = entry_file(fd_table[fd]);
	if (f) {
		entry_set(fd, 0);
		table_low = min(table_low, fd);
	}
	spin_unlock(&table_lock);
	return f;
}

int fd_close(int fd)
{
	struct file *f = take((unsigned)fd);
	int err;

	if (!f)
		return -EBADF;
	err = descriptor_closed(f);
	file_put(f);
	return err;
}

int fd_close_range(unsigned first, unsigned last)
{
	int fd;

	if (first > last)
		return -EINVAL;
	for (fd = fd_next((int)first); fd >= 0 && (unsigned)fd <= last;
	     fd = fd_next(fd + 1))
		(void)fd_close(fd);
	return 0;
}

int fd_get_cloexec(int fd)
{
	int r = -EBADF;

	spin_lock(&table_lock);
	if ((unsigned)fd < fd_table_size && entry_file(fd_table[fd]))
		r = (fd_table[fd] & CLOEXEC) != 0;
	spin_unlock(&table_lock);
	return r;
}

int fd_set_cloexec(int fd, bool on)
{
	int r = -EBADF;

	spin_lock(&table_lock);
	if ((unsigned)fd < fd_table_size && entry_file(fd_table[fd])) {
		entry_set((unsigned)fd,
		    (fd_table[fd] & ~CLOEXEC) | (on ? CLOEXEC : 0));
		r = 0;
	}
	spin_unlock(&table_lock);
	return r;
}

int fd_next(int fd)
{
	int r = -1;

	spin_lock(&table_lock);
	for (unsigned i = (unsigned)fd; i < fd_table_size && r < 0; i++)
		if (entry_file(fd_table[i]))
			r = (int)i;
	spin_unlock(&table_lock);
	return r;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Record locks; see lock.h. */
#include <asm/stat.h>
#include <linux/fcntl.h>
#include "kernel/fs/file.h"
#include "kernel/fs/record_lock.h"
#include "kernel/sched/process.h"
#include "posix/lock.h"

static bool of_file(int cmd)
{
	return cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
}

/* Where l_start counts from. */
static long origin(struct file *f, int whence, int64_t *from)
{
	struct stat st;
	long err = 0;

	*from = 0;
	if (whence == 1) {
		*from = (int64_t)f->pos;
	} else if (whence == 2) {
		err = f->ops->stat(f, &st);
		*from = err ? 0 : st.st_size;
	} else if (whence != 0) {
		err = -EINVAL;
	}
	return err;
}

/* From l_start and l_len, which may be negative, to a range. */
static long range(struct file *f, const struct flock *lk, struct record *r)
{
	int64_t from, first, last;
	long err = origin(f, lk->l_whence, &from);

	if (err)
		return err;
	if (__builtin_add_overflow(from, lk->l_start, &first))
		return -EOVERFLOW;
	if (lk->l_len == 0)
		last = INT64_MAX;
	else if (__builtin_add_overflow(first, lk->l_len - 1, &last))
		return -EOVERFLOW;
	if (lk->l_len < 0) {
		last = first - 1;
		first += lk->l_len;
	}
	if (first < 0)
		return -EINVAL;
	r->first = (uint64_t)first;
	r->last = last == INT64_MAX ? UINT64_MAX : (uint64_t)last;
	return 0;
}

static long kind_of(int type, enum record_kind *kind)
{
	switch (type) {
	case F_RDLCK:
		*kind = RECORD_SHARED;
		return 0;
	case F_WRLCK:
		*kind = RECORD_EXCLUSIVE;
		return 0;
	case F_UNLCK:
		*kind = RECORD_NONE;
		return 0;
	}
	return -EINVAL;
}

static long test(
    struct file *f, const struct record *r, struct flock *lk, void *user)
{
	struct record c;
	int found = record_lock_test(f, r, &c);

	if (found < 0)
		return found;
	lk->l_type = F_UNLCK;
	if (found) {
		lk->l_type = c.kind == RECORD_SHARED ? F_RDLCK : F_WRLCK;
		lk->l_whence = 0;
		lk->l_start = (int64_t)c.first;
		lk->l_len =
		    c.last == UINT64_MAX ? 0 : (int64_t)(c.last - c.first + 1);
		lk->l_pid = c.owner ? -1 : PROCESS_PID;
	}
	return copy_out(user, lk, sizeof(*lk));
}

/* The descriptor may have been closed meanwhile, and that close did not see
 * the new lock: it must not stay, since nothing would ever drop it. */
static long set(struct file *f, int fd, const struct record *r, bool wait)
{
	int err = record_lock_set(f, r, wait);
	struct file *now;

	if (err || r->owner || r->kind == RECORD_NONE)
		return err;
	now = fd_get(fd);
	if (now)
		file_put(now);
	if (now == f)
		return 0;
	record_lock_drop(f, NULL);
	return -EBADF;
}

long lock_fcntl(struct file *f, int fd, int cmd, void *user)
{
	struct record r = {.inode = f->inode, .owner = of_file(cmd) ? f : NULL};
	struct flock lk;
	long err;

	if (copy_in(&lk, user, sizeof(lk)))
		return -EFAULT;
	if (!f->seekable || (of_file(cmd) && lk.l_pid))
		return -EINVAL;
	err = kind_of(lk.l_type, &r.kind);
	if (!err)
		err = range(f, &lk, &r);
	if (err)
		return err;
	if (cmd == F_GETLK || cmd == F_OFD_GETLK)
		return r.kind == RECORD_NONE ? -EINVAL : test(f, &r, &lk, user);
	if (r.kind == RECORD_SHARED && (f->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (r.kind == RECORD_EXCLUSIVE && (f->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	return set(f, fd, &r, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
}

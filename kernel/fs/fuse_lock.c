/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Record locks that other users of a share see: FUSE_SETLK and FUSE_GETLK,
 * where the server has said that it has POSIX locks (C virtiofsd with
 * posix_lock).  Each owner, the process or an open file, has a number of its
 * own, under which the server keeps its locks.
 *
 * A server can't wait for a lock without holding up others: who wants to
 * asks again and again, less and less often.
 */
#include <linux/fcntl.h>
#include "kernel/fs/fuse.h"
#include "kernel/fs/record_lock.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/thread.h"

#define PROCESS     1u /* as an owner */
#define PAUSE_FIRST NSEC_PER_MSEC
#define PAUSE_MOST  (100 * NSEC_PER_MSEC)

static uint64_t owner_of(const struct record *r)
{
	return r->owner ? (uintptr_t)r->owner : PROCESS;
}

static struct fuse_lk_in lk_in(struct file *f, const struct record *r)
{
	static const uint32_t types[] = {F_UNLCK, F_RDLCK, F_WRLCK};

	return (struct fuse_lk_in){
	    .fh = fuse_handle(f)->fh,
	    .owner = owner_of(r),
	    /* No pid: QEMU's virtiofsd takes none in GETLK. */
	    .lk = {.start = r->first,
		.end = min(r->last, (uint64_t)INT64_MAX),
		.type = types[r->kind]},
	};
}

static int lk_call(struct file *f, uint32_t opcode, const struct record *r,
    struct fuse_lk_out *out)
{
	struct fuse_conn *c = fuse_conn(f->inode);
	struct fuse_lk_in in = lk_in(f, r);
	struct fuse_call call = {
	    .opcode = opcode,
	    .nodeid = fuse_nodeid(f->inode),
	    .in = {{&in, sizeof(in)}},
	    .out = out,
	    .out_size = out ? sizeof(*out) : 0,
	};
	ssize_t n;

	if (!(c->flags & FUSE_POSIX_LOCKS) || c->missing & 1ull << opcode)
		return -EOPNOTSUPP;
	n = fuse_call(c, &call);
	/* The server locks through a descriptor of its own for writing, which
	 * it may not get: then nobody else there can write either. */
	return n == -ENOSYS || n == -EACCES || n == -EROFS ? -EOPNOTSUPP
							   : (int)min(n, 0L);
}

int fuse_lock(struct file *f, const struct record *r, bool wait)
{
	uint64_t pause = PAUSE_FIRST;
	int err;

	for (;;) {
		err = lk_call(f, FUSE_SETLK, r, NULL);
		if (err != -EAGAIN || !wait)
			return err;
		err = thread_sleep(clock_monotonic() + pause, true);
		if (err == -ERESTARTSYS)
			return err;
		pause = min(pause * 2, PAUSE_MOST);
	}
}

int fuse_lock_test(
    struct file *f, const struct record *r, struct record *conflict)
{
	struct fuse_lk_out out;
	int err = lk_call(f, FUSE_GETLK, r, &out);

	if (err)
		return err;
	if (out.lk.type != F_RDLCK && out.lk.type != F_WRLCK)
		return 0;
	*conflict = (struct record){
	    .inode = f->inode,
	    .owner = f, /* not the process: its pid is not known */
	    .first = out.lk.start,
	    .last = out.lk.end >= INT64_MAX ? UINT64_MAX : out.lk.end,
	    .kind = out.lk.type == F_RDLCK ? RECORD_SHARED : RECORD_EXCLUSIVE,
	};
	return 1;
}

/* The server drops what an owner holds when it flushes. */
void fuse_unlock_all(struct file *f, const struct file *owner)
{
	struct fuse_conn *c = fuse_conn(f->inode);
	const struct record r = {.owner = owner};
	struct fuse_flush_in in = {
	    .fh = fuse_handle(f)->fh, .lock_owner = owner_of(&r)};
	struct fuse_call call = {
	    .opcode = FUSE_FLUSH,
	    .nodeid = fuse_nodeid(f->inode),
	    .in = {{&in, sizeof(in)}},
	};

	if (c->flags & FUSE_POSIX_LOCKS)
		(void)fuse_call(c, &call);
}

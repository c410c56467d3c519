/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open files and the descriptor table.
 *
 * A struct file is one open file description of POSIX: reference counted,
 * shared by dup'ed descriptors.  What kind of file it is shows only in its
 * ops; every entry is set, so that callers never test for NULL: those that do
 * not apply point at the file_no_* helpers.
 *
 * Reference rules: file_alloc gives one reference; fd_install takes it over;
 * fd_get adds one that the caller drops with file_put.  The last file_put
 * calls ops->release, which may sleep.
 */
#ifndef TORIL_KERNEL_FS_FILE_H
#define TORIL_KERNEL_FS_FILE_H

#include "kernel/lib/list.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/mutex.h"

struct file;
struct inode;
struct dentry;
struct stat;
struct vm_region;

/* Poll events: the values of <poll.h> and <sys/epoll.h>, which agree. */
#define POLL_IN    0x001u
#define POLL_PRI   0x002u
#define POLL_OUT   0x004u
#define POLL_ERR   0x008u
#define POLL_HUP   0x010u
#define POLL_NVAL  0x020u
#define POLL_RDHUP 0x2000u

/*
 * What ops->poll is handed: it calls poll_add for every queue whose wake-up
 * may change the answer, then returns the events that hold now.  With a NULL
 * table only the answer is wanted.
 */
struct poll_table {
	void (*add)(struct poll_table *pt, struct waitq *q);
};

static inline void poll_add(struct poll_table *pt, struct waitq *q)
{
	if (pt)
		pt->add(pt, q);
}

struct file_ops {
	/* Move data at *pos and advance *pos, or ignore pos if the file has
	 * none (pipes, sockets).  pread and pwrite pass a pos of their own.
	 * f->flags has O_NONBLOCK, O_APPEND, ....  Bytes or -errno. */
	ssize_t (*read)(struct file *f, struct iov_iter *it, uint64_t *pos);
	ssize_t (*write)(struct file *f, struct iov_iter *it, uint64_t *pos);
	int64_t (*seek)(struct file *f, int64_t off, int whence);
	unsigned (*poll)(struct file *f, struct poll_table *pt);
	long (*ioctl)(struct file *f, unsigned cmd, unsigned long arg);
	int (*stat)(struct file *f, struct stat *st);
	/* Establish a mapping: set up r->object (kernel/mm/vm.h). */
	int (*mmap)(struct file *f, struct vm_region *r);
	/* close() of one descriptor; its result is close's (FUSE FLUSH). */
	int (*flush)(struct file *f);
	int (*fsync)(struct file *f, bool data_only);
	/* The last reference is gone: free f's private state, not f. */
	void (*release)(struct file *f);
};

/* What is known of a device's transfers without asking it, as far as the file
 * is open for them. */
#define FILE_TAKES   2u /* writes: all, whatever it is */
#define FILE_EMPTY   4u /* reads: nothing */
#define FILE_ZEROS   8u /* reads: zeros */
#define FILE_INSTANT (FILE_TAKES | FILE_EMPTY | FILE_ZEROS)

/*
 * [i] immutable after open, [a] atomic, [p] pos_lock.
 */
struct file {
	const struct file_ops *ops; /* [i] */
	uint32_t refs;              /* [a] */
	uint32_t flags;             /* [a] O_* of open(2), F_SETFL changes */
	struct mutex pos_lock;      /* read/write/lseek on seekable files */
	uint64_t pos;               /* [p] */
	bool seekable;              /* [i] */
	uint8_t instant;            /* [i] FILE_TAKES and so on */
	void *priv;                 /* [i] the kind's own */
	struct inode *inode;        /* [i] or NULL; owned by the fs code */
	struct dentry *dentry;      /* [i] or NULL; for fstat, *at, getcwd */
	struct flock_state *flock;  /* [a] flock.c's, or NULL */
	struct list epolls;         /* epoll items; kernel/fs/epoll.c's */
	struct spinlock epolls_lock;
};

/* Shared helpers for entries that don't apply. */
ssize_t file_no_read(struct file *, struct iov_iter *, uint64_t *); /* EINVAL */
ssize_t file_no_write(
    struct file *, struct iov_iter *, uint64_t *);   /* EINVAL */
int64_t file_no_seek(struct file *, int64_t, int);   /* ESPIPE */
int64_t file_noop_seek(struct file *, int64_t, int); /* 0 */
unsigned file_always_ready(struct file *, struct poll_table *);
long file_no_ioctl(struct file *, unsigned, unsigned long); /* ENOTTY */
int file_anonymous_stat(struct file *, struct stat *);      /* eventfd's kind */
int file_no_mmap(struct file *, struct vm_region *);        /* ENODEV */
int file_no_flush(struct file *);                           /* 0 */
int file_no_fsync(struct file *, bool);                     /* EINVAL */

/* Set once there is an epoll: takes a dying file out of all sets. */
extern void (*file_epoll_forget)(struct file *f);

/* A file with one reference; NULL when memory is short. */
struct file *file_alloc(const struct file_ops *ops, unsigned flags);
void file_ref(struct file *f);
void file_put(struct file *f); /* may sleep */

/* flock(2): LOCK_SH, LOCK_EX or LOCK_UN, with LOCK_NB; and the end of a file
 * that holds a lock.  -EWOULDBLOCK, -ENOMEM, -ERESTARTSYS. */
int flock_set(struct file *f, int how);
void flock_drop(struct file *f);

/* The descriptor table (one process, one table). */

/* The file behind fd with a reference, or NULL (EBADF). */
struct file *fd_get(int fd);

/* The table, as file.c has it; the size is set after a larger one. */
extern uintptr_t *fd_table;
extern unsigned fd_table_size;

/* What the file behind fd is known for: FILE_TAKES and so on. */
static inline __attribute__((always_inline)) unsigned fd_instant(int fd)
{
	if ((unsigned)fd >= __atomic_load_n(&fd_table_size, __ATOMIC_ACQUIRE))
		return 0;
	return __atomic_load_n(&fd_table, __ATOMIC_ACQUIRE)[fd] & FILE_INSTANT;
}

/* The lowest free descriptor >= low gets f (its reference moves); returns it
 * or -EMFILE, -ENOMEM (then the reference stays the caller's). */
int fd_install(struct file *f, int low, bool cloexec);

/* The same without a file yet: until fd_fill(), which takes over a reference,
 * or fd_unreserve(), the descriptor is taken, and EBADF to everybody. */
int fd_reserve(void);
void fd_fill(int fd, struct file *f, bool cloexec);
void fd_unreserve(int fd);

/* dup2/dup3: fd is replaced.  fd, -EBADF, or -EBUSY: it is reserved. */
int fd_replace(struct file *f, int fd, bool cloexec);

/* close(2). */
int fd_close(int fd);
int fd_close_range(unsigned first, unsigned last);
int fd_get_cloexec(int fd);
int fd_set_cloexec(int fd, bool on);

/* The next open descriptor >= fd, or -1: for /proc/self/fd. */
int fd_next(int fd);

/* RLIMIT_NOFILE's soft limit, and the most it may be: toril.files= */
#define FD_LIMIT_MOST 1048576u
extern unsigned fd_limit, fd_limit_max;

#endif

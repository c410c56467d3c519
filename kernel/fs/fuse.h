/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A FUSE client (linux/fuse.h, protocol 7.31) over an abstract transport.
 *
 * fuse_req.c sends requests and checks what every reply has in common; the
 * other files build on fuse_call().  The server may be hostile: each reply's
 * length, number, error and contents are checked, and what fails a check is
 * EIO for the request.
 *
 * While a request is in flight its memory is the server's.  If the server
 * goes away, requests in flight end with an error at once, and their memory
 * and pinned pages are never reused.
 *
 * An inode here is a node id with the number of lookups the server counted
 * for us; forgetting is queued and sent in batches.
 *
 * Each queue of the transport has its lock, which is below all others; a
 * request goes through the queue of the CPU that sends it.  conn->lock is for
 * inodes and handles.
 */
#ifndef TORIL_KERNEL_FS_FUSE_H
#define TORIL_KERNEL_FS_FUSE_H

#include <linux/fuse.h>
#include "kernel/fs/vfs.h"
#include "kernel/sched/wait.h"

#define FUSE_SG_MAX      250
#define FUSE_DIRECT_MIN  (16 * KIB) /* from here on no copy in the guest */
#define FUSE_CLUSTER     16u        /* pages read at once for small reads */
#define FUSE_IDLE_NS     NSEC_PER_SEC
#define FUSE_FORGETS_MAX 64

/* Queues: one for what may not wait, and one or more for requests. */
#define FUSE_QUEUE_HIPRIO   0u
#define FUSE_QUEUE_REQUESTS 1u

struct fuse_transport {
	/* Submit a chain; the token comes back through fuse_completed().
	 * 0, -ENOSPC (the queue is full), -ENOMEM, -EIO.  With the queue's
	 * lock. */
	int (*submit)(void *dev, unsigned queue, const struct sg *out,
	    unsigned n_out, const struct sg *in, unsigned n_in, void *token);
	void (*kick)(void *dev, unsigned queue); /* the same */
};

/* What has been sent through one queue; [l] lock. */
struct fuse_queue {
	struct spinlock lock; /* interrupts off: it completes requests */
	uint64_t sent;        /* [l] requests ever */
	struct list inflight; /* [l] */
	struct list done;     /* [l] nobody waits: to be freed */
	struct list waiting;  /* [l] nobody waits, and the queue is full */
};

struct fuse_req;
struct fuse_handle;

/* [l] lock, [i] immutable once mounted. */
struct fuse_conn {
	const struct fuse_transport *transport; /* [i] */
	void *dev;                              /* [i] */
	unsigned max_sg;           /* [i] pieces a chain may have, 4 or more */
	char tag[40];              /* [i] */
	struct list node;          /* all connections */
	struct fuse_queue *queues; /* [i] */
	unsigned nr_queues;        /* [i] */
	int dead;                  /* [a] -errno for everybody, or 0 */
	bool untidy;        /* [a] a queue has something done or waiting */
	struct waitq space; /* a queue has room again */
	struct spinlock lock;
	struct treap inodes; /* [l] by node id */
	struct list forgets; /* [l] inodes to be forgotten */
	unsigned nr_forgets; /* [l] */
	struct list idle;    /* [l] handles to be released, oldest first */
	struct fs *fs;       /* [i] */
	uint32_t max_write;  /* [i] */
	uint32_t max_pages;  /* [i] */
	uint64_t flags;      /* [i] negotiated */
	uint64_t missing;    /* [a] 1 << opcode: server has said ENOSYS */
};

struct fuse_inode {
	struct inode i;
	struct treap_node node; /* [conn] key: node id */
	struct list forget;     /* [conn] */
	uint64_t generation;
	uint64_t nlookup;          /* [conn] */
	struct fuse_handle *ro;    /* [conn] shared handle for reading */
	struct stamp cached_mtime; /* [i.lock] as the cached pages were read */
	uint64_t cached_size;      /* [i.lock] */
	bool advise_plus;          /* names of this directory are looked up */
};

struct fuse_handle {
	uint64_t fh;
	uint32_t refs;   /* [conn] 0: idle */
	uint32_t flags;  /* FOPEN_* */
	uint32_t oflags; /* as given to OPEN */
	bool dir;
	struct fuse_handle *plain; /* [conn] the same without O_APPEND */
	struct fuse_inode *fi;     /* no reference; outlived by it */
	uint64_t nodeid;
	struct fuse_dirbuf *dirbuf; /* fuse_dir.c's */
	struct list idle;           /* [conn] */
	uint64_t idle_since;        /* [conn] */
};

static inline struct fuse_inode *fuse_inode(struct inode *i)
{
	return container_of(i, struct fuse_inode, i);
}

static inline uint64_t fuse_nodeid(struct inode *i)
{
	return fuse_inode(i)->node.key;
}

static inline struct fuse_conn *fuse_conn(struct inode *i)
{
	return i->fs->priv;
}

struct fuse_arg {
	const void *p;
	size_t n;
};

/* One request and where its reply goes. */
struct fuse_call {
	uint32_t opcode;
	uint64_t nodeid;
	struct fuse_arg in[3]; /* copied */
	void *out;             /* copied to */
	size_t out_size;
	bool out_short;    /* the reply may be shorter than out_size */
	uint32_t uid, gid; /* whose what is made is to be */
	/* Data, one reference held on each page for the device, which the
	 * call gives back: sent after `in`, or received (then the result is
	 * how much).  Two more pieces before sg[0] are the call's to use. */
	struct sg *sg;
	unsigned nr_sg;
	bool sg_in;
};

/* fuse_req.c */

/* Send and wait.  The bytes of the reply without its header, or -errno. */
ssize_t fuse_call(struct fuse_conn *c, const struct fuse_call *call);

/* The same, for what makes a file that is to be the process's own; where the
 * server may not do so, it is the server's. */
ssize_t fuse_call_as_owner(struct fuse_conn *c, struct fuse_call *call);

/* Send and don't wait; no data.  -ENOMEM. */
int fuse_send(struct fuse_conn *c, const struct fuse_call *call);

/* From the transport, with the queue's lock, in any context: a chain has come
 * back with that many bytes written. */
void fuse_completed(struct fuse_conn *c, void *token, uint32_t written);

/* After the transport has taken chains back, or broke.  Lock not held. */
void fuse_conn_woken(struct fuse_conn *c);
void fuse_conn_kill(struct fuse_conn *c, int err);

/* Free what finished in the background, send what could not be sent; false if
 * there is more of it. */
bool fuse_tidy(struct fuse_conn *c);

/* The transport's driver: a connection is there, with so many queues, all kept
 * for ever.  -ENOMEM. */
int fuse_conn_register(struct fuse_conn *c, unsigned nr_queues);
struct fuse_conn *fuse_conn_find(const char *tag);
extern struct list fuse_conns;

/* fuse_init.c: negotiate; make the file system. */
int fuse_init(struct fuse_conn *c);
struct fs *fuse_fs_create(struct fuse_conn *c);

/* fuse_inode.c */
struct inode *fuse_iget(struct fuse_conn *c, const struct fuse_entry_out *e);
int fuse_entry(struct fuse_conn *c, const struct fuse_entry_out *out,
    uint64_t version, struct entry *e);
bool fuse_attr_ok(const struct fuse_attr *a);
uint64_t fuse_expiry(uint64_t sec, uint32_t nsec);
/* Changes made here are numbered.  Attributes that were asked for when
 * `version` was current are taken over unless i was changed since. */
uint64_t fuse_version(void);
void fuse_take_attr(struct inode *i, const struct fuse_attr *a, uint64_t expiry,
    uint64_t version);
/* i has been, or will be, changed: its attributes must be asked for again. */
void fuse_attr_stale(struct inode *i);
bool fuse_attr_valid(struct inode *i);
/* Pages first..last are others on the server now; the file ends at size. */
void fuse_forget_pages(struct inode *i, uint64_t first, uint64_t last);
void fuse_truncated(struct inode *i, uint64_t size);
int fuse_getattr(struct inode *i, struct file *f);
int fuse_setattr(struct inode *i, struct file *f, const struct setattr *s);
void fuse_inode_release(struct inode *i);
void fuse_forget_all(struct fuse_conn *c);
struct fs *fuse_fs_of(struct fuse_conn *c);
extern const struct inode_ops fuse_ops;

/* fuse_name.c: the operations on names. */
int fuse_lookup(struct inode *dir, const struct name *n, struct entry *e);
int fuse_create(struct inode *dir, const struct name *n, uint32_t mode,
    unsigned flags, struct entry *e, struct file **f);
int fuse_make(struct inode *dir, const struct name *n, const struct make *m,
    struct entry *e);
int fuse_link(
    struct inode *i, struct inode *dir, const struct name *n, struct entry *e);
int fuse_remove(
    struct inode *dir, const struct name *n, struct inode *victim, bool is_dir);
int fuse_rename(struct inode *from, const struct name *fn, struct inode *moved,
    struct inode *to, const struct name *tn, struct inode *victim,
    unsigned flags);
int fuse_readlink(struct inode *i, char *buf, size_t size);
ssize_t fuse_xattr(struct inode *i, const struct xattr *x);
int fuse_access(struct inode *i, unsigned mask);

/* fuse_handle.c */
/* What WRITE names the file by; -errno of another OPEN. */
int fuse_write_fh(struct file *f, uint64_t *fh);
int fuse_open(struct inode *i, unsigned flags, struct file **f);
/* A file over a handle the server has just given. */
int fuse_file(struct inode *i, unsigned flags, const struct fuse_open_out *out,
    struct file **f);
struct fuse_handle *fuse_handle(struct file *f);
void fuse_handle_put(struct fuse_conn *c, struct fuse_handle *h);
void fuse_handles_drop(struct fuse_conn *c, struct fuse_inode *fi);
/* There is something to release or forget soon; and doing it. */
void fuse_work(struct fuse_conn *c);
bool fuse_work_now(struct fuse_conn *c, uint64_t idle_before);
int fuse_fsync(struct file *f, bool data_only);
int fuse_flush(struct file *f);
void fuse_file_release(struct file *f);

/* fuse_io.c */
extern const struct file_ops fuse_file_ops;
int fuse_pages(struct file *f, uint64_t index, unsigned n, struct page **pages,
    size_t *bytes);
int fuse_fallocate(struct file *f, unsigned mode, uint64_t off, uint64_t len);
ssize_t fuse_copy_range(struct file *in, uint64_t in_off, struct file *out,
    uint64_t out_off, size_t len);

/* fuse_dir.c */
extern const struct file_ops fuse_dir_ops;
int fuse_readdir(struct file *f, struct dir_emit *e);
void fuse_dirbuf_free(struct fuse_handle *h);

/* fuse_lock.c: struct inode_ops' record locks. */
int fuse_lock(struct file *f, const struct record *r, bool wait);
int fuse_lock_test(
    struct file *f, const struct record *r, struct record *conflict);
void fuse_unlock_all(struct file *f, const struct file *owner);

#endif

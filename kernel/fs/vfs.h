/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inodes, names and file systems: what the file system code is made of.
 *
 * An inode is one file of a file system; a dentry is a name that led, or
 * did not lead, to one.  Dentries form a tree, are hashed by parent and name
 * and are only ever a cache: the file system behind decides, and says with
 * each answer until when it may be believed.  Unused dentries stay on a list
 * from which the oldest is dropped; a dentry keeps its inode and its parent.
 *
 * Every file system is mounted once, so a dentry alone is a place.  A dentry
 * that a file system covers is pinned and never asked about.
 *
 * Locks, in this order: an inode's lock, dcache_lock (private to dcache.c).
 * No spin lock is held while a file system's operation runs; whoever changes
 * a directory bumps its dir_gen before and after, and an answer that a
 * change overtook is used but not believed again.
 */
#ifndef TORIL_KERNEL_FS_VFS_H
#define TORIL_KERNEL_FS_VFS_H

#include "kernel/fs/file.h"
#include "kernel/fs/pagecache.h"
#include "kernel/lib/list.h"

#define EXPIRY_NEVER UINT64_MAX
#define LINKS_MAX    40

struct record;
struct statfs;
struct vm_object;

struct stamp {
	int64_t sec;
	uint32_t nsec;
};

struct attr {
	uint64_t ino, size, blocks, rdev; /* blocks of 512 bytes */
	uint32_t mode, nlink, uid, gid, blksize;
	struct stamp atime, mtime, ctime;
};

/* What setattr changes: FUSE's FATTR_* bits. */
enum setattr_valid {
	SET_MODE = 1 << 0,
	SET_UID = 1 << 1,
	SET_GID = 1 << 2,
	SET_SIZE = 1 << 3,
	SET_ATIME = 1 << 4,
	SET_MTIME = 1 << 5,
	SET_ATIME_NOW = 1 << 7, /* together with SET_ATIME */
	SET_MTIME_NOW = 1 << 8,
};

struct setattr {
	uint32_t valid, mode, uid, gid;
	uint64_t size;
	struct stamp atime, mtime;
	bool chown; /* even of neither: the time of change, set-id bits */
};

struct name {
	const char *s; /* not terminated */
	unsigned len;
};

/* What a name led to: an inode with a reference, or NULL (no such file), to
 * be believed until `expiry` (clock_monotonic). */
struct entry {
	struct inode *inode;
	uint64_t expiry;
};

/* What to make: a directory, a symbolic link, a special or empty file. */
struct make {
	uint32_t mode; /* with its S_IFMT bits */
	uint64_t rdev;
	const char *target;
};

enum xattr_op { XATTR_GET, XATTR_SET, XATTR_LIST, XATTR_REMOVE };

struct xattr {
	enum xattr_op op;
	const char *name; /* not for LIST */
	void *value;      /* kernel memory */
	size_t size;      /* of value; 0 asks GET and LIST for the length */
	int flags;
};

struct dir_emit;

/*
 * The operations of inodes.  Each may sleep, none is NULL: inode_no_* stand
 * for what a file system does not have.  A name's validity, existing types
 * and read-only file systems are the caller's business.
 */
struct inode_ops {
	int (*lookup)(struct inode *dir, const struct name *n, struct entry *e);
	/* Create a regular file, or open one that came into being meanwhile
	 * (unless O_EXCL), and open it. */
	int (*create)(struct inode *dir, const struct name *n, uint32_t mode,
	    unsigned flags, struct entry *e, struct file **f);
	/* A regular file without a name, open; it may get one by link. */
	int (*tmpfile)(
	    struct inode *dir, uint32_t mode, unsigned flags, struct file **f);
	int (*make)(struct inode *dir, const struct name *n,
	    const struct make *m, struct entry *e);
	int (*link)(struct inode *i, struct inode *dir, const struct name *n,
	    struct entry *e);
	int (*remove)(struct inode *dir, const struct name *n,
	    struct inode *victim, bool is_dir);
	int (*rename)(struct inode *from, const struct name *fn,
	    struct inode *moved, struct inode *to, const struct name *tn,
	    struct inode *victim, unsigned flags);
	/* The target, not terminated; its length. */
	int (*readlink)(struct inode *i, char *buf, size_t size);
	int (*open)(struct inode *i, unsigned flags, struct file **f);
	/* Make i->attr valid; f is an open file of i's or NULL. */
	int (*getattr)(struct inode *i, struct file *f);
	int (*setattr)(
	    struct inode *i, struct file *f, const struct setattr *s);
	int (*access)(struct inode *i, unsigned mask);
	/* Emit entries from f->pos on. */
	int (*readdir)(struct file *f, struct dir_emit *e);
	/* Up to n consecutive pages from index on, with a reference each, and
	 * how many bytes of them lie before the end of the file; 0 at the
	 * end.  Holes read as zeros. */
	int (*pages)(struct file *f, uint64_t index, unsigned n,
	    struct page **pages, size_t *bytes);
	int (*fallocate)(
	    struct file *f, unsigned mode, uint64_t off, uint64_t len);
	/* -EXDEV, -EOPNOTSUPP or -ENOSYS: the caller copies. */
	ssize_t (*copy_range)(struct file *in, uint64_t in_off,
	    struct file *out, uint64_t out_off, size_t len);
	/* A file was mapped, or a shared page is being written through a
	 * mapping: for its times.  May not sleep. */
	void (*mapped)(struct inode *i, bool written);
	ssize_t (*xattr)(struct inode *i, const struct xattr *x);
	/* Record locks that are seen outside too; -EOPNOTSUPP: there is no
	 * outside.  lock is as record_lock_set; lock_test gives 1 and the
	 * lock in the way, or 0; unlock_all drops what an owner holds. */
	int (*lock)(struct file *f, const struct record *r, bool wait);
	int (*lock_test)(
	    struct file *f, const struct record *r, struct record *conflict);
	void (*unlock_all)(struct file *f, const struct file *owner);
	/* The last reference is gone: free i.  May not sleep. */
	void (*release)(struct inode *i);
};

/* [i] immutable, [a] atomic, [l] lock. */
struct inode {
	const struct inode_ops *ops; /* [i] */
	struct fs *fs;               /* [i] */
	uint32_t refs;               /* [a] */
	uint32_t dir_gen;            /* [a] see above */
	struct spinlock lock;
	uint64_t attr_gen;    /* [l] fuse: version of the last change here */
	uint64_t attr_expiry; /* [l] attr is valid until then */
	struct attr attr;     /* [l] for writing */
	/* A directory's names change one at a time, so that what the
	 * file system did and the cached names agree.  Of two directories the
	 * one with the lower address first.  tmpfs has it for a file's data
	 * too. */
	struct mutex change_lock;
	struct pagecache cache;
};

/* [d] dcache_lock, [i] immutable. */
struct dentry {
	struct dentry *hash_next; /* [d] */
	struct dentry *parent;    /* [d] with a reference; the root's: NULL */
	struct inode *inode;      /* [i] with a reference; NULL: negative */
	struct fs *fs;            /* [i] */
	struct fs *mounted;       /* [d] the file system that covers it */
	uint64_t expiry;          /* [d] */
	struct list lru;          /* [d] while refs is 0 */
	uint32_t refs;            /* [d] */
	uint32_t hash;            /* [d] */
	char *name;               /* [d] terminated */
	uint8_t len;              /* [d] of name */
	uint8_t room;             /* [i] longest name that `own` takes */
	bool hashed;              /* [d] else deleted or outdated */
	bool pinned;              /* [d] made by a mount: never expires */
	char own[];
};

struct fs {
	const char *type;
	char source[40];
	bool rdonly;
	uint32_t dev;          /* st_dev */
	struct inode *top;     /* the root's inode; its reference */
	struct dentry *root;   /* mounted: the root */
	struct dentry *covers; /* mounted: on what; NULL for "/" */
	char *path;            /* mounted: where */
	struct list node;
	int (*statfs)(struct fs *fs, struct statfs *st);
	int (*sync)(struct fs *fs);
	void *priv;
};

/* inode.c */
void inode_init(struct inode *i, const struct inode_ops *ops, struct fs *fs);
void inode_ref(struct inode *i);
void inode_put(struct inode *i);
static inline uint32_t inode_type(const struct inode *i)
{
	return i->attr.mode & 0170000;
}
#define INODE_IS_DIR(i)  (inode_type(i) == 0040000)
#define INODE_IS_LINK(i) (inode_type(i) == 0120000)
#define INODE_IS_REG(i)  (inode_type(i) == 0100000)

/* The names in dir are being changed, or have been. */
static inline void inode_dir_changed(struct inode *dir)
{
	__atomic_add_fetch(&dir->dir_gen, 1, __ATOMIC_ACQ_REL);
}

int inode_no_lookup(struct inode *, const struct name *, struct entry *);
int inode_no_create(struct inode *, const struct name *, uint32_t, unsigned,
    struct entry *, struct file **);
int inode_no_tmpfile(struct inode *, uint32_t, unsigned, struct file **);
int inode_no_make(
    struct inode *, const struct name *, const struct make *, struct entry *);
int inode_no_link(
    struct inode *, struct inode *, const struct name *, struct entry *);
int inode_no_remove(struct inode *, const struct name *, struct inode *, bool);
int inode_no_rename(struct inode *, const struct name *, struct inode *,
    struct inode *, const struct name *, struct inode *, unsigned);
int inode_no_readlink(struct inode *, char *, size_t);
int inode_static_getattr(struct inode *, struct file *); /* attr is valid */
int inode_no_setattr(struct inode *, struct file *, const struct setattr *);
int inode_root_access(struct inode *, unsigned); /* what root may */
int inode_no_readdir(struct file *, struct dir_emit *);
int inode_no_pages(struct file *, uint64_t, unsigned, struct page **, size_t *);
int inode_no_fallocate(struct file *, unsigned, uint64_t, uint64_t);
ssize_t inode_no_copy_range(
    struct file *, uint64_t, struct file *, uint64_t, size_t);
void inode_no_mapped(struct inode *, bool);
ssize_t inode_no_xattr(struct inode *, const struct xattr *);
int inode_no_lock(struct file *, const struct record *, bool);
int inode_no_lock_test(struct file *, const struct record *, struct record *);
void inode_no_unlock_all(struct file *, const struct file *);

/* file_ops for files with an inode. */
int inode_file_stat(struct file *f, struct stat *st);
int64_t inode_file_seek(struct file *f, int64_t off, int whence);
int64_t seek_to(struct file *f, int64_t off, int whence, uint64_t size);

/* For directories without state of their own: open, and only "." and "..". */
int inode_dir_open(struct inode *i, unsigned flags, struct file **f);
int inode_dots_readdir(struct file *f, struct dir_emit *e);
ssize_t inode_dir_read(struct file *f, struct iov_iter *it, uint64_t *pos);
int inode_null_fsync(struct file *f, bool data_only); /* 0 */

/* A file of inode i (which gets a reference), for ops->open. */
struct file *inode_file(
    struct inode *i, const struct file_ops *ops, unsigned flags);
/* For file_ops.release of such files. */
void inode_file_release(struct file *f);

void attr_to_stat(const struct inode *i, struct stat *st);
struct stamp stamp_now(void);

/* A directory's output buffer: struct linux_dirent64 in program memory. */
struct dir_emit {
	char *user;
	size_t left, done;
	int err;
};
/* False: no room (or a bad address), stop and don't count this one. */
bool dir_emit(struct dir_emit *e, const char *name, unsigned len, uint64_t ino,
    uint64_t next, unsigned type);

/* map.c: files mapped into memory.  All of these may sleep. */
int inode_file_mmap(struct file *f, struct vm_region *r);
/* Write back what shared mappings have changed: of one file, or of all. */
int inode_sync_maps(struct inode *i);
void vfs_sync_all(void);
/* Pages first..last of i are not what they were: mappings look again.  With
 * `copies` (the file has been cut) private ones lose theirs. */
void inode_unmap(struct inode *i, uint64_t first, uint64_t last, bool copies);

/* dcache.c */
struct dentry *dentry_find(struct dentry *dir, const struct name *n);
void dentry_ref(struct dentry *d);
void dentry_put(struct dentry *d); /* NULL is fine */
/* Enter an answer (the inode reference moves) and return its dentry with a
 * reference; NULL when memory is short (then the reference is dropped). */
struct dentry *dentry_add(
    struct dentry *dir, const struct name *n, const struct entry *e);
/* The same for an answer that was asked for when dir's dir_gen was `gen`: if
 * it has changed since, the dentry is for the caller alone. */
struct dentry *dentry_add_asked(struct dentry *dir, const struct name *n,
    const struct entry *e, uint32_t gen);
/* Enter such an answer only if nothing is known of the name. */
void dentry_prime(struct dentry *dir, const struct name *n,
    const struct entry *e, uint32_t gen);
/* The root of fs, or a mount point, pinned. */
struct dentry *dentry_pin(
    struct dentry *dir, const struct name *n, struct inode *i, struct fs *fs);
/* The k-th pinned name in dir, with a reference, or NULL. */
struct dentry *dentry_pinned(struct dentry *dir, unsigned k);
void dentry_forget(struct dentry *d); /* the name is gone */
/* The same (d may be NULL), and whatever else is cached under n in dir. */
void dentry_gone(struct dentry *d, struct dentry *dir, const struct name *n);
int dentry_move(struct dentry *d, struct dentry *dir, const struct name *n);
/* Is `above` d itself or one of its ancestors? */
bool dentry_is_below(struct dentry *d, struct dentry *above);
/* The dentry's parent with a reference; the root's own parent is itself. */
struct dentry *dentry_parent(struct dentry *d);
/* Write the absolute path at the start of buf; its length with the NUL, or
 * -ERANGE, -ENOENT (deleted). */
int dentry_path(struct dentry *d, char *buf, size_t size);

/* What "/" is: the root of it all, or where chroot(2) led. */
struct dentry *path_root(void);
void dcache_set_limit(unsigned dentries);
/* Names in the cache, and those of them that nobody uses. */
void dcache_count(unsigned *names, unsigned *unused);

/* mount.c */
extern struct dentry *vfs_root;
extern struct list vfs_mounts; /* struct fs, in order; boot only changes it */

/* Once, before anything else: root, /tmp, /dev, /dev/shm and /proc. */
int vfs_init(void);
/* Mount fs at an absolute path; its directories are made up where missing. */
int vfs_mount(struct fs *fs, const char *path);
/* Show i at path for good, if there is nothing.  Boot only; may sleep. */
void vfs_show_missing(const char *path, struct inode *i);
/* Mount the virtio-fs device with that tag. -ENODEV: none. */
int vfs_mount_virtiofs(const char *tag, const char *path, bool rdonly);
/* The working directory; kernel memory. */
int vfs_chdir(const char *path);
/* Requests to the servers of all shares, so far. */
extern uint64_t fs_requests;

/* The share's server has died: ENOTCONN for all who use it, now and later. */
int fs_share_gone(const char *tag);
struct fs *fs_alloc(const char *type, const char *source);

/* File systems. */
struct fs *tmpfs_create(void);
struct fs *devfs_create(void);
struct fs *procfs_create(void);
/* Give an empty root an /etc: passwd, group, hosts, resolv.conf.  May sleep.
 * 0, or -ENOSPC and -ENOMEM. */
int etc_fill(struct inode *root);
/* After all is mounted: show those files where a share lacks them. */
void etc_complete(void);
/* Open a character device by number; -ENXIO if there is none. */
int device_open(struct inode *i, unsigned flags, struct file **f);
/* What /dev/tty is from now on; takes a reference of its own. */
void device_set_tty(struct file *f);
/* The N if i is /proc/self/fd/N, or -1. */
int procfs_fd(const struct inode *i);

/* The file that a mapping's object shows, or NULL; without a reference. */
struct file *vm_object_file(struct vm_object *o);
/* i is /proc/self/fd/N: open what is behind (with a reference, in *f), or
 * -ENOENT if i is something else. */
int procfs_fd_open(struct inode *i, unsigned flags, struct file **f);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mount table.
 *
 * A mount point is a pinned dentry that its parent's file system is never
 * asked about, so mounting costs no request and works where that file system
 * has no such directory.  Directories on the way to it are looked up, and
 * made up (an empty directory of no file system's) where missing.
 *
 * Mounting happens at boot only, by one thread; afterwards the table is read.
 * When something is mounted on "/", what was mounted before is mounted anew
 * at the same paths.
 */
#include "kernel/fs/path.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/sched/clock.h"

read_mostly struct dentry *vfs_root;
struct list vfs_mounts = LIST_INIT(vfs_mounts);

static uint32_t next_dev = 1;

/* Every made-up directory is this inode. */
static const struct inode_ops empty_dir_ops = {
    .lookup = inode_no_lookup,
    .create = inode_no_create,
    .tmpfile = inode_no_tmpfile,
    .make = inode_no_make,
    .link = inode_no_link,
    .remove = inode_no_remove,
    .rename = inode_no_rename,
    .readlink = inode_no_readlink,
    .open = inode_dir_open,
    .getattr = inode_static_getattr,
    .setattr = inode_no_setattr,
    .access = inode_root_access,
    .readdir = inode_dots_readdir,
    .pages = inode_no_pages,
    .fallocate = inode_no_fallocate,
    .copy_range = inode_no_copy_range,
    .mapped = inode_no_mapped,
    .xattr = inode_no_xattr,
    .lock = inode_no_lock,
    .lock_test = inode_no_lock_test,
    .unlock_all = inode_no_unlock_all,
};
static struct fs made_up = {.type = "none", .node = LIST_INIT(made_up.node)};
static struct inode empty_dir = {
    .ops = &empty_dir_ops,
    .fs = &made_up,
    .refs = 1,
    .attr = {.ino = 1, .mode = 0040555, .nlink = 2},
};

struct fs *fs_alloc(const char *type, const char *source)
{
	struct fs *fs = kzalloc(sizeof(*fs));

	if (!fs)
		return NULL;
	fs->type = type;
	memcpy(fs->source, source, strnlen(source, sizeof(fs->source) - 1));
	fs->dev = next_dev++;
	list_init(&fs->node);
	return fs;
}

/* A directory that exists because something is mounted below. */
static struct dentry *make_up(struct dentry *dir, const struct name *n)
{
	inode_ref(&empty_dir);
	return dentry_pin(dir, n, &empty_dir, dir->fs);
}

/* What `i` is shown as, unless the file system has something there. */
static struct dentry *show(
    struct dentry *dir, const struct name *n, struct inode *i)
{
	struct dentry *d;

	if (path_child(dir, n, clock_monotonic(), &d))
		return NULL; /* broken: whoever asks will hear of it */
	if (d->inode || d->mounted)
		return d;
	dentry_put(d);
	inode_ref(i);
	return dentry_pin(dir, n, i, i->fs);
}

/* The dentry for path, which is below vfs_root: a mount point, or what shows
 * `i` (not NULL) where there is nothing else. */
static struct dentry *pin_path(const char *path, struct inode *i)
{
	struct dentry *dir = vfs_root, *d;
	uint64_t now = clock_monotonic();
	struct name n;

	dentry_ref(dir);
	for (;;) {
		while (*path == '/')
			path++;
		for (n = (struct name){path, 0}; *path && *path != '/'; path++)
			n.len++;
		while (*path == '/')
			path++;
		if (n.len > NAME_MAX)
			break;
		if (!*path) {
			d = i ? show(dir, &n, i)
			      : dentry_pin(dir, &n, NULL, dir->fs);
			dentry_put(dir);
			return d;
		}
		if (path_child(dir, &n, now, &d))
			d = NULL;
		if (!d || !d->inode || !INODE_IS_DIR(d->inode)) {
			struct dentry *m = d && d->mounted ? d : NULL;
			if (!m) {
				dentry_put(d);
				d = make_up(dir, &n);
			}
			if (!d)
				break;
		}
		while (d->mounted) {
			struct dentry *top = d->mounted->root;
			dentry_ref(top);
			dentry_put(d);
			d = top;
		}
		dentry_put(dir);
		dir = d;
	}
	dentry_put(dir);
	return NULL;
}

static int attach(struct fs *fs)
{
	struct dentry *at = pin_path(fs->path, NULL);

	if (!at)
		return -ENOMEM;
	fs->covers = at;
	at->mounted = fs;
	return 0;
}

static int replace_root(struct fs *fs)
{
	struct fs *m;
	int err = 0;

	vfs_root = fs->root;
	list_for_each (m, &vfs_mounts, node) {
		if (m->path[1] == 0 || err)
			continue;
		err = attach(m);
	}
	return err;
}

void vfs_show_missing(const char *path, struct inode *i)
{
	struct dentry *d = pin_path(path, i);

	if (d && d->inode != i)
		dentry_put(d); /* else it stays for good */
}

int vfs_mount(struct fs *fs, const char *path)
{
	static const struct name no_name = {"", 0};
	size_t n = strlen(path);
	int err;

	if (*path != '/' || n >= PATH_MAX)
		return -EINVAL;
	while (n > 1 && path[n - 1] == '/')
		n--;
	fs->path = kzalloc(n + 1);
	if (!fs->path)
		return -ENOMEM;
	memcpy(fs->path, path, n);
	fs->root = dentry_pin(NULL, &no_name, fs->top, fs);
	if (!fs->root)
		return -ENOMEM;
	err = n == 1 ? replace_root(fs) : attach(fs);
	if (!err)
		list_push_back(&vfs_mounts, &fs->node);
	return err;
}

static int mount_new(struct fs *fs, const char *path)
{
	return fs ? vfs_mount(fs, path) : -ENOMEM;
}

int vfs_init(void)
{
	int err;

	pagecache_init();
	dcache_set_limit((unsigned)min(
	    max(page_total() / (16 * KIB), (uint64_t)64), (uint64_t)8192));
	err = mount_new(tmpfs_create(), "/");
	if (!err)
		err = mount_new(devfs_create(), "/dev");
	if (!err)
		err = mount_new(tmpfs_create(), "/dev/shm");
	if (!err)
		err = mount_new(tmpfs_create(), "/tmp");
	if (!err)
		err = mount_new(procfs_create(), "/proc");
	return err;
}

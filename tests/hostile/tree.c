/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See tree.h.  A node's number is its place in a table; it is used again once
 * the node has neither names nor look-ups left.  A name's place in its
 * directory is its position for READDIR, so that what is removed leaves a
 * hole, which a new name may fill.
 */
#include "tests/hostile/tree.h"

#include <errno.h>
#include <linux/fs.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "host/util.h"

#define NODES    65536u
#define FILE_MAX (64u << 20)

struct name {
	char *text; /* NULL: a hole */
	uint32_t node;
};

struct node {
	uint32_t mode, nlink, generation, rdev;
	uint64_t lookups, size, room;
	struct timespec mtime, ctime;
	uint8_t *data;      /* a file's, or where a link leads */
	struct name *names; /* a directory's */
	unsigned name_count;
	uint32_t parent;
};

static struct node *nodes[NODES];
static uint32_t node_hint = 2;
static unsigned valid;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* A request, taken apart. */
struct call {
	const struct fuse_in_header *h;
	const uint8_t *args;
	size_t args_len;
	struct node *node;
	uint8_t *out; /* behind the header */
	size_t room;
};

static void touch(struct node *n)
{
	clock_gettime(CLOCK_REALTIME, &n->mtime);
	n->ctime = n->mtime;
}

static uint32_t node_new(uint32_t mode, uint32_t parent)
{
	static uint32_t generation;
	uint32_t tries = NODES;

	while (tries-- && nodes[node_hint])
		node_hint = node_hint + 1 < NODES ? node_hint + 1 : 2;
	if (nodes[node_hint])
		return 0;
	nodes[node_hint] = must_alloc(sizeof(struct node));
	nodes[node_hint]->mode = mode;
	nodes[node_hint]->parent = parent;
	nodes[node_hint]->generation = ++generation;
	touch(nodes[node_hint]);
	return node_hint;
}

static void node_settle(uint32_t id)
{
	struct node *n = nodes[id];

	if (!n || id == FUSE_ROOT_ID || n->nlink || n->lookups)
		return;
	for (unsigned i = 0; i < n->name_count; i++)
		free(n->names[i].text);
	free(n->names);
	free(n->data);
	free(n);
	nodes[id] = NULL;
}

static int resize(struct node *n, uint64_t size)
{
	if (size > FILE_MAX)
		return -EFBIG;
	if (size > n->room) {
		n->room = size + size / 2;
		n->data = must_grow(n->data, n->room);
	}
	if (size > n->size)
		memset(n->data + n->size, 0, size - n->size);
	n->size = size;
	touch(n);
	return 0;
}

static struct name *find(struct node *dir, const char *text)
{
	for (unsigned i = 0; i < dir->name_count; i++)
		if (dir->names[i].text && !strcmp(dir->names[i].text, text))
			return &dir->names[i];
	return NULL;
}

static void link_node(uint32_t parent, const char *text, uint32_t id)
{
	struct node *dir = nodes[parent];
	unsigned i = 0;

	while (i < dir->name_count && dir->names[i].text)
		i++;
	if (i == dir->name_count) {
		dir->names =
		    must_grow(dir->names, (i + 1) * sizeof(*dir->names));
		dir->name_count++;
	}
	dir->names[i] = (struct name){must_print("%s", text), id};
	nodes[id]->nlink += S_ISDIR(nodes[id]->mode) ? 2 : 1;
	touch(dir);
}

static void unlink_name(struct node *dir, struct name *name)
{
	uint32_t id = name->node;

	free(name->text);
	name->text = NULL;
	nodes[id]->nlink -= S_ISDIR(nodes[id]->mode) ? 2 : 1;
	touch(dir);
	node_settle(id);
}

static bool has_names(const struct node *dir)
{
	for (unsigned i = 0; i < dir->name_count; i++)
		if (dir->names[i].text)
			return true;
	return false;
}

static void put_attr(struct fuse_attr *a, uint32_t id)
{
	const struct node *n = nodes[id];

	*a = (struct fuse_attr){
	    .ino = id,
	    .size = n->size,
	    .blocks = (n->size + 511) / 512,
	    .mtime = (uint64_t)n->mtime.tv_sec,
	    .mtimensec = (uint32_t)n->mtime.tv_nsec,
	    .atime = (uint64_t)n->mtime.tv_sec,
	    .ctime = (uint64_t)n->ctime.tv_sec,
	    .ctimensec = (uint32_t)n->ctime.tv_nsec,
	    .mode = n->mode,
	    .nlink = n->nlink,
	    .rdev = n->rdev,
	    .blksize = 4096,
	};
}

static void put_entry(struct fuse_entry_out *e, uint32_t id)
{
	*e = (struct fuse_entry_out){
	    .nodeid = id,
	    .generation = nodes[id]->generation,
	    .entry_valid = valid,
	    .attr_valid = valid,
	};
	put_attr(&e->attr, id);
	nodes[id]->lookups++;
}

/* A name among the arguments, from `skip` on; NULL if it is none. */
static const char *name_at(const struct call *c, size_t skip)
{
	const char *s = (const char *)c->args + skip;
	size_t room = c->args_len > skip ? c->args_len - skip : 0;

	if (!room || !memchr(s, 0, room) || !*s || strlen(s) > 255 ||
	    strchr(s, '/'))
		return NULL;
	return s;
}

static int serve_init(struct call *c)
{
	const struct fuse_init_in *in = (const void *)c->args;
	struct fuse_init_out *out = (void *)c->out;

	*out = (struct fuse_init_out){
	    .major = FUSE_KERNEL_VERSION,
	    .minor = 36,
	    .max_readahead = in->max_readahead,
	    .flags = in->flags &
		     (FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES |
			 FUSE_AUTO_INVAL_DATA | FUSE_DO_READDIRPLUS |
			 FUSE_READDIRPLUS_AUTO | FUSE_PARALLEL_DIROPS |
			 FUSE_MAX_PAGES | FUSE_CACHE_SYMLINKS),
	    .max_background = 64,
	    .max_write = 1 << 20,
	    .max_pages = 256,
	    .time_gran = 1,
	};
	return sizeof(*out);
}

static int serve_lookup(struct call *c)
{
	const char *text = name_at(c, 0);
	struct name *name = text ? find(c->node, text) : NULL;

	if (!text)
		return -EINVAL;
	if (!name)
		return -ENOENT;
	put_entry((void *)c->out, name->node);
	return sizeof(struct fuse_entry_out);
}

static void forget(uint64_t id, uint64_t count)
{
	struct node *n = id < NODES ? nodes[id] : NULL;

	if (!n)
		return;
	n->lookups -= MIN(n->lookups, count);
	node_settle((uint32_t)id);
}

static int serve_forget(struct call *c)
{
	const struct fuse_forget_in *one = (const void *)c->args;
	const struct fuse_batch_forget_in *batch = (const void *)c->args;
	const struct fuse_forget_one *f = (const void *)(batch + 1);

	if (c->h->opcode == FUSE_FORGET) {
		forget(c->h->nodeid, one->nlookup);
		return 0;
	}
	if (batch->count > (c->args_len - sizeof(*batch)) / sizeof(*f))
		return 0;
	for (uint32_t i = 0; i < batch->count; i++)
		forget(f[i].nodeid, f[i].nlookup);
	return 0;
}

static int reply_attr(struct call *c)
{
	struct fuse_attr_out *out = (void *)c->out;

	*out = (struct fuse_attr_out){.attr_valid = valid};
	put_attr(&out->attr, (uint32_t)c->h->nodeid);
	return sizeof(*out);
}

static int serve_setattr(struct call *c)
{
	const struct fuse_setattr_in *in = (const void *)c->args;
	int ret = 0;

	if (in->valid & FATTR_MODE)
		c->node->mode = (c->node->mode & S_IFMT) | (in->mode & 07777);
	if (in->valid & FATTR_SIZE)
		ret = S_ISREG(c->node->mode) ? resize(c->node, in->size)
					     : -EINVAL;
	if (in->valid & FATTR_MTIME && !(in->valid & FATTR_MTIME_NOW)) {
		c->node->mtime.tv_sec = (time_t)in->mtime;
		c->node->mtime.tv_nsec = in->mtimensec;
	}
	return ret ? ret : reply_attr(c);
}

static int serve_readlink(struct call *c)
{
	if (!S_ISLNK(c->node->mode))
		return -EINVAL;
	memcpy(c->out, c->node->data, c->node->size);
	return (int)c->node->size;
}

/* Make `text` in the request's directory: its number or -errno. */
static int make(struct call *c, const char *text, uint32_t mode)
{
	uint32_t id, parent = (uint32_t)c->h->nodeid;

	if (!text)
		return -EINVAL;
	if (!S_ISDIR(c->node->mode))
		return -ENOTDIR;
	if (find(c->node, text))
		return -EEXIST;
	id = node_new(mode, parent);
	if (!id)
		return -ENOSPC;
	link_node(parent, text, id);
	return (int)id;
}

static int serve_make(struct call *c)
{
	const struct fuse_mkdir_in *dir = (const void *)c->args;
	const struct fuse_mknod_in *node = (const void *)c->args;
	const char *target;
	int id;

	if (c->h->opcode == FUSE_MKDIR) {
		id = make(
		    c, name_at(c, sizeof(*dir)), S_IFDIR | (dir->mode & 07777));
	} else if (c->h->opcode == FUSE_MKNOD) {
		id = make(c, name_at(c, sizeof(*node)), node->mode);
	} else {
		id = make(c, name_at(c, 0), S_IFLNK | 0777);
		target = (const char *)c->args + strlen((char *)c->args) + 1;
		if (id > 0 && !resize(nodes[id], strlen(target)))
			memcpy(nodes[id]->data, target, strlen(target));
	}
	if (id < 0)
		return id;
	put_entry((void *)c->out, (uint32_t)id);
	return sizeof(struct fuse_entry_out);
}

static int serve_remove(struct call *c)
{
	const char *text = name_at(c, 0);
	struct name *name = text ? find(c->node, text) : NULL;
	bool dir;

	if (!name)
		return text ? -ENOENT : -EINVAL;
	dir = S_ISDIR(nodes[name->node]->mode);
	if (c->h->opcode == FUSE_UNLINK && dir)
		return -EISDIR;
	if (c->h->opcode == FUSE_RMDIR && !dir)
		return -ENOTDIR;
	if (dir && has_names(nodes[name->node]))
		return -ENOTEMPTY;
	unlink_name(c->node, name);
	return 0;
}

static int rename_to(struct node *from, const char *old, uint32_t parent,
    const char *text, uint32_t flags)
{
	struct name *victim = find(nodes[parent], text);
	struct name *name = find(from, old);
	uint32_t id;

	if (!name)
		return -ENOENT;
	id = name->node;

	if (flags & ~(uint32_t)RENAME_NOREPLACE)
		return -EINVAL;
	if (victim && flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (victim && victim->node == id)
		return 0;
	if (victim && S_ISDIR(nodes[victim->node]->mode) &&
	    has_names(nodes[victim->node]))
		return -ENOTEMPTY;
	if (victim)
		unlink_name(nodes[parent], victim);
	link_node(parent, text, id); /* moves the names of `parent` */
	nodes[id]->parent = parent;
	unlink_name(from, find(from, old));
	return 0;
}

static int serve_rename(struct call *c)
{
	const struct fuse_rename2_in *in2 = (const void *)c->args;
	bool two = c->h->opcode == FUSE_RENAME2;
	size_t skip = two ? sizeof(*in2) : sizeof(struct fuse_rename_in);
	const char *old = name_at(c, skip);
	const char *new = old ? name_at(c, skip + strlen(old) + 1) : NULL;

	if (!new || in2->newdir >= NODES || !nodes[in2->newdir] ||
	    !S_ISDIR(nodes[in2->newdir]->mode))
		return -EINVAL;
	return rename_to(
	    c->node, old, (uint32_t)in2->newdir, new, two ? in2->flags : 0);
}

static int serve_link(struct call *c)
{
	const struct fuse_link_in *in = (const void *)c->args;
	const char *text = name_at(c, sizeof(*in));

	if (!text || in->oldnodeid >= NODES || !nodes[in->oldnodeid])
		return -EINVAL;
	if (find(c->node, text))
		return -EEXIST;
	link_node((uint32_t)c->h->nodeid, text, (uint32_t)in->oldnodeid);
	put_entry((void *)c->out, (uint32_t)in->oldnodeid);
	return sizeof(struct fuse_entry_out);
}

static int serve_open(struct call *c)
{
	const struct fuse_open_in *in = (const void *)c->args;
	struct fuse_open_out *out = (void *)c->out;

	if (c->h->opcode == FUSE_OPENDIR && !S_ISDIR(c->node->mode))
		return -ENOTDIR;
	if (c->h->opcode == FUSE_OPEN && in->flags & 01000 /* O_TRUNC */)
		resize(c->node, 0);
	*out = (struct fuse_open_out){.fh = c->h->nodeid};
	return sizeof(*out);
}

static int serve_create(struct call *c)
{
	const struct fuse_create_in *in = (const void *)c->args;
	const char *text = name_at(c, sizeof(*in));
	struct name *name = text ? find(c->node, text) : NULL;
	struct fuse_entry_out *entry = (void *)c->out;
	struct fuse_open_out *open = (void *)(entry + 1);
	int id;

	if (name && in->flags & 0200 /* O_EXCL */)
		return -EEXIST;
	id = name ? (int)name->node
		  : make(c, text, S_IFREG | (in->mode & 07777));
	if (id < 0)
		return id;
	if (in->flags & 01000)
		resize(nodes[id], 0);
	put_entry(entry, (uint32_t)id);
	*open = (struct fuse_open_out){.fh = (uint64_t)id};
	return sizeof(*entry) + sizeof(*open);
}

static int serve_read(struct call *c)
{
	const struct fuse_read_in *in = (const void *)c->args;
	size_t n = MIN(in->size, c->room);

	if (!S_ISREG(c->node->mode))
		return -EISDIR;
	if (in->offset >= c->node->size)
		return 0;
	n = MIN(n, c->node->size - in->offset);
	memcpy(c->out, c->node->data + in->offset, n);
	return (int)n;
}

static int serve_write(struct call *c)
{
	const struct fuse_write_in *in = (const void *)c->args;
	struct fuse_write_out *out = (void *)c->out;
	uint64_t at = in->offset;
	int ret;

	if (!S_ISREG(c->node->mode) || in->size > c->args_len - sizeof(*in) ||
	    at > FILE_MAX)
		return -EINVAL;
	if (at + in->size > c->node->size) {
		ret = resize(c->node, at + in->size);
		if (ret)
			return ret;
	}
	memcpy(c->node->data + at, in + 1, in->size);
	touch(c->node);
	*out = (struct fuse_write_out){.size = in->size};
	return sizeof(*out);
}

static int serve_statfs(struct call *c)
{
	struct fuse_statfs_out *out = (void *)c->out;

	*out = (struct fuse_statfs_out){.st = {.blocks = 1 << 20,
					    .bfree = 1 << 19,
					    .bavail = 1 << 19,
					    .files = NODES,
					    .ffree = NODES / 2,
					    .bsize = 4096,
					    .frsize = 4096,
					    .namelen = 255}};
	return sizeof(*out);
}

/* One attribute, user.a, which has the value "value". */
static int serve_xattr(struct call *c)
{
	const struct fuse_getxattr_in *in = (const void *)c->args;
	bool list = c->h->opcode == FUSE_LISTXATTR;
	const char *text = list ? "user.a" : "value";
	const char *name = list ? "user.a" : name_at(c, sizeof(*in));
	size_t len = list ? 7 : 5;

	if (!name || strcmp(name, "user.a"))
		return -ENODATA;
	if (!in->size) {
		*(struct fuse_getxattr_out *)c->out =
		    (struct fuse_getxattr_out){.size = (uint32_t)len};
		return sizeof(struct fuse_getxattr_out);
	}
	if (in->size < len)
		return -ERANGE;
	memcpy(c->out, text, len);
	return (int)len;
}

/* An entry at `at` of the reply: where the next one goes, 0 if it is full. */
static size_t put_dirent(struct call *c, size_t at, size_t most,
    const char *text, uint32_t id, uint64_t next)
{
	bool plus = c->h->opcode == FUSE_READDIRPLUS;
	size_t skip = plus ? sizeof(struct fuse_entry_out) : 0;
	size_t len = strlen(text);
	size_t size = FUSE_DIRENT_ALIGN(skip + FUSE_NAME_OFFSET + len);
	struct fuse_dirent *d = (void *)(c->out + at + skip);

	if (at + size > most)
		return 0;
	memset(c->out + at, 0, size);
	if (plus && strcmp(text, ".") && strcmp(text, ".."))
		put_entry((void *)(c->out + at), id);
	d->ino = id;
	d->off = next;
	d->namelen = (uint32_t)len;
	d->type = (nodes[id]->mode & S_IFMT) >> 12;
	memcpy(d->name, text, len);
	return at + size;
}

static int serve_readdir(struct call *c)
{
	const struct fuse_read_in *in = (const void *)c->args;
	size_t most = MIN(in->size, c->room), at = 0, next;
	uint64_t i = in->offset;

	if (!S_ISDIR(c->node->mode))
		return -ENOTDIR;
	for (; i < 2ull + c->node->name_count; i++) {
		uint32_t id = (uint32_t)c->h->nodeid;
		const char *text = i ? ".." : ".";

		if (i >= 2) {
			text = c->node->names[i - 2].text;
			id = c->node->names[i - 2].node;
		} else if (i) {
			id = c->node->parent;
		}
		if (!text)
			continue;
		next = put_dirent(c, at, most, text, id, i + 1);
		if (!next)
			break;
		at = next;
	}
	return (int)at;
}

static int serve_fallocate(struct call *c)
{
	const struct fuse_fallocate_in *in = (const void *)c->args;

	if (in->mode)
		return -EOPNOTSUPP;
	if (in->offset > FILE_MAX || in->length > FILE_MAX)
		return -EFBIG;
	if (in->offset + in->length > c->node->size)
		return resize(c->node, in->offset + in->length);
	return 0;
}

static int serve_lseek(struct call *c)
{
	const struct fuse_lseek_in *in = (const void *)c->args;
	struct fuse_lseek_out *out = (void *)c->out;

	if (in->offset >= c->node->size)
		return -ENXIO;
	out->offset =
	    in->whence == 4 /* SEEK_HOLE */ ? c->node->size : in->offset;
	return sizeof(*out);
}

static int serve_nothing(struct call *c)
{
	(void)c; /* flushing, syncing and releasing: memory is all there is */
	return 0;
}

static const struct {
	int (*serve)(struct call *c);
	size_t args; /* bytes that must be there */
} calls[] = {
    [FUSE_LOOKUP] = {serve_lookup, 2},
    [FUSE_FORGET] = {serve_forget, sizeof(struct fuse_forget_in)},
    [FUSE_BATCH_FORGET] = {serve_forget, sizeof(struct fuse_batch_forget_in)},
    [FUSE_GETATTR] = {reply_attr, sizeof(struct fuse_getattr_in)},
    [FUSE_SETATTR] = {serve_setattr, sizeof(struct fuse_setattr_in)},
    [FUSE_READLINK] = {serve_readlink, 0},
    [FUSE_SYMLINK] = {serve_make, 4},
    [FUSE_MKNOD] = {serve_make, sizeof(struct fuse_mknod_in) + 2},
    [FUSE_MKDIR] = {serve_make, sizeof(struct fuse_mkdir_in) + 2},
    [FUSE_UNLINK] = {serve_remove, 2},
    [FUSE_RMDIR] = {serve_remove, 2},
    [FUSE_RENAME] = {serve_rename, sizeof(struct fuse_rename_in) + 4},
    [FUSE_RENAME2] = {serve_rename, sizeof(struct fuse_rename2_in) + 4},
    [FUSE_LINK] = {serve_link, sizeof(struct fuse_link_in) + 2},
    [FUSE_OPEN] = {serve_open, sizeof(struct fuse_open_in)},
    [FUSE_OPENDIR] = {serve_open, sizeof(struct fuse_open_in)},
    [FUSE_READ] = {serve_read, sizeof(struct fuse_read_in)},
    [FUSE_WRITE] = {serve_write, sizeof(struct fuse_write_in)},
    [FUSE_STATFS] = {serve_statfs, 0},
    [FUSE_RELEASE] = {serve_nothing, 0},
    [FUSE_RELEASEDIR] = {serve_nothing, 0},
    [FUSE_FSYNC] = {serve_nothing, 0},
    [FUSE_FSYNCDIR] = {serve_nothing, 0},
    [FUSE_FLUSH] = {serve_nothing, 0},
    [FUSE_GETXATTR] = {serve_xattr, sizeof(struct fuse_getxattr_in) + 2},
    [FUSE_LISTXATTR] = {serve_xattr, sizeof(struct fuse_getxattr_in)},
    [FUSE_INIT] = {serve_init, 16},
    [FUSE_READDIR] = {serve_readdir, sizeof(struct fuse_read_in)},
    [FUSE_READDIRPLUS] = {serve_readdir, sizeof(struct fuse_read_in)},
    [FUSE_CREATE] = {serve_create, sizeof(struct fuse_create_in) + 2},
    [FUSE_FALLOCATE] = {serve_fallocate, sizeof(struct fuse_fallocate_in)},
    [FUSE_LSEEK] = {serve_lseek, sizeof(struct fuse_lseek_in)},
};

static int serve_locked(struct call *c)
{
	uint32_t op = c->h->opcode;

	if (op >= ARRAY_SIZE(calls) || !calls[op].serve)
		return -ENOSYS;
	if (c->args_len < calls[op].args)
		return -EINVAL;
	if (op != FUSE_INIT && op != FUSE_BATCH_FORGET && op != FUSE_FORGET) {
		c->node = c->h->nodeid < NODES ? nodes[c->h->nodeid] : NULL;
		if (!c->node)
			return -ESTALE;
	}
	return calls[op].serve(c);
}

size_t tree_serve(const void *in, size_t len, void *out, size_t room)
{
	struct fuse_out_header *reply = out;
	struct call c = {.h = in};
	int ret;

	if (len < sizeof(*c.h))
		return 0;
	c.args = (const uint8_t *)(c.h + 1);
	c.args_len = len - sizeof(*c.h);
	c.out = (uint8_t *)(reply + 1);
	c.room = room - sizeof(*reply);
	pthread_mutex_lock(&lock);
	ret = serve_locked(&c);
	pthread_mutex_unlock(&lock);
	if (c.h->opcode == FUSE_FORGET || c.h->opcode == FUSE_BATCH_FORGET ||
	    c.h->opcode == FUSE_INTERRUPT)
		return 0;
	*reply = (struct fuse_out_header){
	    .len = (uint32_t)sizeof(*reply) + (ret > 0 ? (uint32_t)ret : 0),
	    .error = ret < 0 ? ret : 0,
	    .unique = c.h->unique,
	};
	return reply->len;
}

static uint32_t plant(uint32_t parent, const char *text, uint32_t mode)
{
	uint32_t id = node_new(mode, parent);

	link_node(parent, text, id);
	return id;
}

void tree_init(unsigned timeout)
{
	uint32_t id;
	char text[16];

	valid = timeout;
	nodes[FUSE_ROOT_ID] = must_alloc(sizeof(struct node));
	*nodes[FUSE_ROOT_ID] = (struct node){
	    .mode = S_IFDIR | 0755, .nlink = 2, .parent = FUSE_ROOT_ID};
	touch(nodes[FUSE_ROOT_ID]);
	id = plant(FUSE_ROOT_ID, "f", S_IFREG | 0644);
	resize(nodes[id], TREE_F_SIZE);
	for (size_t i = 0; i < TREE_F_SIZE; i++)
		nodes[id]->data[i] = tree_byte(i);
	plant(FUSE_ROOT_ID, "empty", S_IFREG | 0644);
	id = plant(FUSE_ROOT_ID, "link", S_IFLNK | 0777);
	resize(nodes[id], 1);
	nodes[id]->data[0] = 'f';
	id = plant(FUSE_ROOT_ID, "dir", S_IFDIR | 0755);
	for (int i = 0; i < TREE_DIR_FILES; i++) {
		snprintf(text, sizeof(text), "name%03d", i);
		plant(id, text, S_IFREG | 0644);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* See fs_server.h. */
#include <stdlib.h>
#include <string.h>
#include "tests/unit/fs_server.h"
#include "tests/unit/fs_shim/shim.h"

#define IN_MAX  (2 << 20)
#define PENDING 64

struct pending {
	void *token;
	struct spinlock *lock;
	struct sg *in;
	unsigned n_in;
	unsigned char *request;
	size_t len;
};

struct server server;
struct fuse_conn server_conn;
static struct pending pending[PENDING];
static unsigned nr_pending;

unsigned server_total(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 64; i++)
		n += server.count[i];
	return n;
}

static int submit(void *dev, unsigned q, const struct sg *out, unsigned n_out,
    const struct sg *in, unsigned n_in, void *token)
{
	struct pending *p = &pending[nr_pending];
	size_t len = 0;

	(void)dev;
	if (nr_pending == (server.queue_size ? server.queue_size : PENDING))
		return -ENOSPC;
	for (unsigned i = 0; i < n_out; i++)
		len += out[i].len;
	p->request = malloc(len);
	p->len = 0;
	for (unsigned i = 0; i < n_out; i++) {
		memcpy(p->request + p->len, (void *)out[i].phys, out[i].len);
		p->len += out[i].len;
	}
	p->in = calloc(n_in + 1, sizeof(*in));
	memcpy(p->in, in, n_in * sizeof(*in));
	p->n_in = n_in;
	p->token = token;
	p->lock = &server_conn.queues[q].lock;
	nr_pending++;
	return 0;
}

static void kick(void *dev, unsigned q)
{
	(void)dev, (void)q;
}

static const struct fuse_transport transport = {submit, kick};

static struct fuse_attr attr_of(uint64_t node)
{
	struct fuse_attr a = {.ino = node,
	    .mode = 0040755,
	    .nlink = 1,
	    .mtime = server.mtime,
	    .blksize = 4096};

	if (node == 2) {
		a.mode = 0100644;
		a.size = server.size;
	} else if (node == 4) {
		a.mode = 0120777;
		a.size = 1;
	}
	return a;
}

static int put_entry(struct fuse_entry_out *e, const char *name)
{
	uint64_t node = !strcmp(name, "f")   ? 2
			: !strcmp(name, "d") ? 3
			: !strcmp(name, "l") ? 4
					     : 0;

	memset(e, 0, sizeof(*e));
	e->entry_valid = e->attr_valid = server.timeout;
	if (!node)
		return server.timeout ? (int)sizeof(*e) : -ENOENT;
	e->nodeid = node;
	e->attr = attr_of(node);
	server.lookups[node]++;
	return sizeof(*e);
}

static int do_read(const struct fuse_read_in *r, unsigned char *out)
{
	size_t n = r->size;

	if (r->offset >= server.size)
		return 0;
	if (n > server.size - r->offset)
		n = server.size - r->offset;
	memcpy(out, server.file + r->offset, n);
	return (int)n;
}

static int do_write(const struct fuse_write_in *w, unsigned char *out)
{
	if (w->offset + w->size > SERVER_FILE_MAX)
		return -ENOSPC;
	memcpy(server.file + w->offset, w + 1, w->size);
	if (server.size < w->offset + w->size)
		server.size = w->offset + w->size;
	server.mtime++;
	*(struct fuse_write_out *)out = (struct fuse_write_out){w->size, 0};
	return sizeof(struct fuse_write_out);
}

static int do_readdir(
    const struct fuse_read_in *r, unsigned char *out, bool plus)
{
	static const char *const names[] = {".", "..", "f", "l", "dir"};
	unsigned char *p = out;

	for (uint64_t i = r->offset; i < 5; i++) {
		struct fuse_dirent *d;
		if (plus) {
			memset(p, 0, sizeof(struct fuse_entry_out));
			if (i == 2)
				(void)put_entry((void *)p, "f");
			p += sizeof(struct fuse_entry_out);
		}
		d = (void *)p;
		*d = (struct fuse_dirent){.ino = i + 1,
		    .off = i + 1,
		    .namelen = (uint32_t)strlen(names[i]),
		    .type = 4};
		memcpy(d->name, names[i], d->namelen);
		p += FUSE_DIRENT_SIZE(d);
	}
	return (int)(p - out);
}

static int do_setattr(const struct fuse_setattr_in *s, unsigned char *out)
{
	struct fuse_attr_out *a = (void *)out;

	if (s->valid & FATTR_SIZE) {
		if (s->size > server.size)
			memset(server.file + server.size, 0,
			    s->size - server.size);
		server.size = s->size;
	}
	server.mtime++;
	*a = (struct fuse_attr_out){
	    .attr_valid = server.timeout, .attr = attr_of(2)};
	return sizeof(*a);
}

static int do_init(unsigned char *out)
{
	*(struct fuse_init_out *)out = (struct fuse_init_out){.major = 7,
	    .minor = 36,
	    .flags = FUSE_MAX_PAGES | FUSE_ATOMIC_O_TRUNC |
		     FUSE_DO_READDIRPLUS | FUSE_AUTO_INVAL_DATA,
	    .max_write = 1 << 20,
	    .max_pages = 256};
	return sizeof(struct fuse_init_out);
}

static int do_open(unsigned char *out)
{
	*(struct fuse_open_out *)out =
	    (struct fuse_open_out){7, server.open_flags, 0};
	server.open_handles++;
	return sizeof(struct fuse_open_out);
}

static void do_forget(const struct fuse_in_header *h, const void *args)
{
	const struct fuse_forget_in *f = args;
	const struct fuse_batch_forget_in *b = args;
	const struct fuse_forget_one *one = (const void *)(b + 1);

	if (h->opcode == FUSE_FORGET)
		server.lookups[h->nodeid & 7] -= f->nlookup;
	for (uint32_t i = 0; h->opcode == FUSE_BATCH_FORGET && i < b->count;
	     i++)
		server.lookups[one[i].nodeid & 7] -= one[i].nlookup;
}

/* The reply's payload in out; its length or -errno. */
static int answer(const struct fuse_in_header *h, unsigned char *out)
{
	const void *args = h + 1;

	switch (h->opcode) {
	case FUSE_INIT:
		return do_init(out);
	case FUSE_LOOKUP:
		return put_entry((void *)out, args);
	case FUSE_GETATTR:
		*(struct fuse_attr_out *)out = (struct fuse_attr_out){
		    .attr_valid = server.timeout, .attr = attr_of(h->nodeid)};
		return sizeof(struct fuse_attr_out);
	case FUSE_SETATTR:
		return do_setattr(args, out);
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		return do_open(out);
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		server.open_handles--;
		return 0;
	case FUSE_FLUSH:
	case FUSE_FSYNC:
	case FUSE_UNLINK:
		return 0;
	case FUSE_READ:
		return do_read(args, out);
	case FUSE_WRITE:
		return do_write(args, out);
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		return do_readdir(args, out, h->opcode == FUSE_READDIRPLUS);
	case FUSE_READLINK:
		*out = 'f';
		return 1;
	default:
		return -ENOSYS;
	}
}

static void deliver(struct pending *p, unsigned char *out, uint32_t written)
{
	uint32_t at = 0;

	for (unsigned i = 0; i < p->n_in && at < written; i++) {
		uint32_t n = min(p->in[i].len, written - at);
		memcpy((void *)p->in[i].phys, out + at, n);
		at += n;
	}
	spin_lock(p->lock);
	fuse_completed(&server_conn, p->token, at);
	spin_unlock(p->lock);
	fuse_conn_woken(&server_conn);
}

static void serve(struct pending *p)
{
	static unsigned char out[IN_MAX];
	const struct fuse_in_header *h = (void *)p->request;
	struct fuse_out_header *r = (void *)out;
	uint32_t len = 0, written;
	size_t room = 0;
	int n;

	server.count[h->opcode & 63]++;
	if (h->opcode == FUSE_FORGET || h->opcode == FUSE_BATCH_FORGET) {
		do_forget(h, h + 1);
	} else {
		n = answer(h, out + sizeof(*r));
		len = sizeof(*r) + (n > 0 ? (uint32_t)n : 0);
		*r = (struct fuse_out_header){len, n < 0 ? n : 0, h->unique};
	}
	for (unsigned i = 0; i < p->n_in; i++)
		room += p->in[i].len;
	written = len;
	if (server.spoil)
		server.spoil(h->opcode, out, &len, &written, room);
	deliver(p, out, written);
	free(p->request);
	free(p->in);
}

bool server_run(void)
{
	struct pending p;

	if (!nr_pending || server.silent)
		return false;
	p = pending[0];
	memmove(pending, pending + 1, --nr_pending * sizeof(p));
	serve(&p);
	return true;
}

void server_start(void)
{
	memset(&server, 0, sizeof(server));
	free(server_conn.queues);
	memset(&server_conn, 0, sizeof(server_conn));
	for (size_t i = 0; i < SERVER_FILE_MAX; i++)
		server.file[i] = (unsigned char)(i * 7 + i / 4096);
	server.size = 10000;
	server.mtime = 5;
	server.timeout = 1;
	nr_pending = 0;
	shim_idle = server_run;
	list_init(&fuse_conns);
	server_conn.transport = &transport;
	server_conn.max_sg = 256;
	memcpy(server_conn.tag, "test", 5);
	if (fuse_conn_register(&server_conn, FUSE_QUEUE_REQUESTS + 1))
		abort();
}

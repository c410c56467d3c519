/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that were served lately, kept ready: their metadata and header
 * fields, and either the bytes (small files) or a descriptor.
 *
 * An entry is looked at again, through the whole of path resolution, once it
 * is a second old; so a change of the tree shows within a second, and a hot
 * file costs no kernel call but the one that sends it.  Every worker has a
 * cache of its own: no locks.
 */
#ifndef TORIL_APPS_WEBSERVER_CACHE_H
#define TORIL_APPS_WEBSERVER_CACHE_H

#include "apps/webserver/text.h"

#include <time.h>

struct site;

#define CACHE_FRESH_MS    1000
#define CACHE_BUCKETS     256
#define CACHE_FILES_MAX   512
#define CACHE_FDS_MAX     64
#define CACHE_CONTENT_MAX (64 * 1024) /* larger files keep a descriptor */

/* Precompressed siblings of a file. */
#define SIBLING_BR   1u
#define SIBLING_GZIP 2u

struct file_id {
	uint64_t dev, ino;
	struct timespec mtime, ctime;
};

struct file {
	struct file *chain;         /* same bucket */
	struct file *newer, *older; /* by last use */
	unsigned refs;              /* readers, and 1 for the table */
	uint32_t hash;
	int fd;        /* -1 if `content` is set */
	char *content; /* malloc'ed */
	uint64_t size;
	struct file_id id;
	int64_t checked; /* ms, monotonic */
	const char *type;
	unsigned siblings;
	struct str etag;     /* inside `fields` */
	unsigned fields_len; /* ETag, Last-Modified, Accept-Ranges */
	unsigned whole_len;  /* and the rest of a header for all of it, without
				siblings; 0 if that did not fit */
	char fields[256];
	size_t path_len;
	char path[];
};

struct cache {
	const struct site *site;
	size_t budget; /* bytes of content, at most */
	size_t bytes, files, fds;
	struct file *newest, *oldest;
	struct file *bucket[CACHE_BUCKETS];
};

void cache_init(struct cache *cache, const struct site *site, size_t budget);
void cache_destroy(struct cache *cache);

/*
 * Finds or opens `path`, which is terminated at `len`.  0 with a reference in
 * `*file`, or -errno: EISDIR for a directory, EACCES for what is neither.
 */
int cache_get(struct cache *cache, const char *path, size_t len, int64_t now,
    struct file **file);

/* A file of bytes made up here; takes over `content`.  NULL: no memory. */
struct file *file_from_memory(char *content, size_t size);

struct file *file_get(struct file *file);
void file_put(struct file *file);

#endif

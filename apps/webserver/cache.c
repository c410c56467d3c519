/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file cache: a hash table, a list by last use, and reference counts, so
 * that an entry which was replaced or evicted lives on until the replies that
 * send it are through.
 */
#include "apps/webserver/cache.h"
#include "apps/webserver/date.h"
#include "apps/webserver/mime.h"
#include "apps/webserver/site.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

void cache_init(struct cache *cache, const struct site *site, size_t budget)
{
	memset(cache, 0, sizeof(*cache));
	cache->site = site;
	cache->budget = budget;
}

struct file *file_get(struct file *file)
{
	file->refs++;
	return file;
}

void file_put(struct file *file)
{
	if (!file || --file->refs)
		return;
	if (file->fd >= 0)
		close(file->fd);
	free(file->content);
	free(file);
}

struct file *file_from_memory(char *content, size_t size)
{
	struct file *file = calloc(1, sizeof(*file) + 1);

	if (!file) {
		free(content);
		return NULL;
	}
	file->refs = 1;
	file->fd = -1;
	file->content = content;
	file->size = size;
	return file;
}

static uint32_t hash_of(const char *path, size_t len)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)path[i]) * 16777619u;
	return hash;
}

static struct file *table_find(
    struct cache *cache, const char *path, size_t len, uint32_t hash)
{
	struct file *file = cache->bucket[hash % CACHE_BUCKETS];

	while (file && (file->hash != hash || file->path_len != len ||
			   memcmp(file->path, path, len)))
		file = file->chain;
	return file;
}

static void list_remove(struct cache *cache, struct file *file)
{
	*(file->newer ? &file->newer->older : &cache->newest) = file->older;
	*(file->older ? &file->older->newer : &cache->oldest) = file->newer;
}

static void list_add(struct cache *cache, struct file *file)
{
	file->newer = NULL;
	file->older = cache->newest;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = file;
	cache->newest = file;
}

static void table_remove(struct cache *cache, struct file *file)
{
	struct file **at = &cache->bucket[file->hash % CACHE_BUCKETS];

	while (*at != file)
		at = &(*at)->chain;
	*at = file->chain;
	list_remove(cache, file);
	cache->files--;
	cache->fds -= file->fd >= 0;
	cache->bytes -= file->content ? file->size : 0;
	file_put(file);
}

static bool cache_is_over(const struct cache *cache)
{
	return cache->bytes > cache->budget || cache->files > CACHE_FILES_MAX ||
	       cache->fds > CACHE_FDS_MAX;
}

static void table_add(struct cache *cache, struct file *file)
{
	struct file **bucket = &cache->bucket[file->hash % CACHE_BUCKETS];

	file_get(file);
	file->chain = *bucket;
	*bucket = file;
	list_add(cache, file);
	cache->files++;
	cache->fds += file->fd >= 0;
	cache->bytes += file->content ? file->size : 0;
	while (cache_is_over(cache) && cache->oldest != file)
		table_remove(cache, cache->oldest);
}

void cache_destroy(struct cache *cache)
{
	while (cache->oldest)
		table_remove(cache, cache->oldest);
}

static bool sibling_exists(int parent, const char *name, const char *suffix)
{
	char sibling[NAME_MAX + 1];
	size_t len = strlen(name), more = strlen(suffix);
	struct stat st;

	if (len + more > NAME_MAX)
		return false;
	memcpy(sibling, name, len);
	memcpy(sibling + len, suffix, more + 1);
	return !fstatat(parent, sibling, &st, AT_SYMLINK_NOFOLLOW) &&
	       (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode));
}

/* Found next to what was opened, where a symlink led, too: that is the file
 * they are compressed from.  But they are served by their own path. */
static void find_siblings(struct file *file, int parent)
{
	const char *slash = strrchr(file->path, '/');
	const char *name = slash ? slash + 1 : file->path;
	const struct mime *mime = mime_of(str_from(name));

	file->type = mime->type;
	file->siblings = 0;
	if (mime->packed)
		return;
	if (sibling_exists(parent, name, ".br"))
		file->siblings |= SIBLING_BR;
	if (sibling_exists(parent, name, ".gz"))
		file->siblings |= SIBLING_GZIP;
}

/* The hash of the path keeps the tags of a file and its siblings apart even
 * if size and time agree. */
static void make_fields(struct file *file)
{
	struct text t = {file->fields, 0, sizeof(file->fields), false};
	size_t start;

	text_cstr(&t, "ETag: ");
	start = t.len;
	text_char(&t, '"');
	text_hex(&t, (uint64_t)file->id.mtime.tv_sec * 1000000000 +
			 file->id.mtime.tv_nsec);
	text_char(&t, '-');
	text_hex(&t, file->size);
	text_char(&t, '-');
	text_hex(&t, file->hash);
	text_char(&t, '"');
	file->etag = (struct str){file->fields + start, t.len - start};
	text_cstr(&t, "\r\nLast-Modified: ");
	date_http(&t, file->id.mtime.tv_sec);
	text_cstr(&t, "\r\nAccept-Ranges: bytes\r\n");
	file->fields_len = t.len;
	text_cstr(&t, "Content-Type: ");
	text_cstr(&t, file->type);
	text_cstr(&t, "\r\nContent-Length: ");
	text_number(&t, file->size);
	text_cstr(&t, "\r\n\r\n");
	file->whole_len = t.overflow ? 0 : t.len;
}

/* Small files are read at once; where that fails the descriptor serves. */
static void load_content(struct cache *cache, struct file *file)
{
	ssize_t n;

	if (!file->size || file->size > CACHE_CONTENT_MAX ||
	    file->size > cache->budget / 4)
		return;
	file->content = malloc(file->size);
	if (!file->content)
		return;
	n = pread(file->fd, file->content, file->size, 0);
	if (n != (ssize_t)file->size) {
		free(file->content);
		file->content = NULL;
		return;
	}
	close(file->fd);
	file->fd = -1;
}

static bool id_same(const struct file_id *a, const struct file_id *b)
{
	return a->dev == b->dev && a->ino == b->ino &&
	       a->mtime.tv_sec == b->mtime.tv_sec &&
	       a->mtime.tv_nsec == b->mtime.tv_nsec &&
	       a->ctime.tv_sec == b->ctime.tv_sec &&
	       a->ctime.tv_nsec == b->ctime.tv_nsec;
}

static int stat_regular(int fd, struct file_id *id, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	*id = (struct file_id){.dev = st.st_dev,
	    .ino = st.st_ino,
	    .mtime = st.st_mtim,
	    .ctime = st.st_ctim};
	*size = st.st_size;
	return 0;
}

static struct file *file_new(const char *path, size_t len, uint32_t hash)
{
	struct file *file = calloc(1, sizeof(*file) + len + 1);

	if (!file)
		return NULL;
	memcpy(file->path, path, len);
	file->path_len = len;
	file->hash = hash;
	file->refs = 1;
	file->fd = -1;
	return file;
}

/* Opens `path`.  If it is still what `old` holds, that one is renewed, as
 * reading the bytes again would gain nothing. */
static int cache_open(struct cache *cache, const char *path, size_t len,
    struct file *old, struct file **out)
{
	struct file *file = NULL;
	struct file_id id = {0};
	uint64_t size = 0;
	int parent, r, fd = site_resolve(cache->site, path, &parent);

	if (fd < 0)
		return fd;
	r = stat_regular(fd, &id, &size);
	if (r < 0)
		goto out;
	if (old && id_same(&id, &old->id) && size == old->size) {
		find_siblings(old, parent);
		*out = old;
		goto out;
	}
	r = -ENOMEM;
	file = file_new(path, len, hash_of(path, len));
	if (!file)
		goto out;
	r = 0;
	file->id = id;
	file->size = size;
	file->fd = fd;
	fd = -1;
	find_siblings(file, parent);
	make_fields(file);
	load_content(cache, file);
	*out = file;
out:
	if (fd >= 0)
		close(fd);
	site_put(cache->site, parent);
	return r;
}

int cache_get(struct cache *cache, const char *path, size_t len, int64_t now,
    struct file **out)
{
	struct file *file = table_find(cache, path, len, hash_of(path, len));
	struct file *fresh = NULL;
	int r;

	if (file && now - file->checked < CACHE_FRESH_MS) {
		if (cache->newest != file) {
			list_remove(cache, file);
			list_add(cache, file);
		}
		*out = file_get(file);
		return 0;
	}
	r = cache_open(cache, path, len, file, &fresh);
	if (file && (r < 0 || fresh != file))
		table_remove(cache, file);
	if (r < 0)
		return r;
	fresh->checked = now;
	if (fresh == file) {
		*out = file_get(file);
		return 0;
	}
	table_add(cache, fresh);
	*out = fresh; /* with the reference it was made with */
	return 0;
}

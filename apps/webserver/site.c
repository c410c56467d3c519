/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Path resolution inside the site.
 *
 * The kernel never follows a symlink for us: each component is opened with
 * O_NOFOLLOW in the directory before it, and a symlink is read and spliced
 * into the path, here.  So `done`, the part already walked, is free of
 * symlinks, ".." can take off its last component, and a path that would
 * leave the root is seen whatever happens to the tree meanwhile.  openat2
 * does this in one call, but only on Linux.
 */
#include "apps/webserver/site.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MAX 40

/* O_NONBLOCK: a FIFO in the tree must not hang the server. */
#define OPEN_FLAGS (O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)

struct walk {
	const struct site *site;
	int dir; /* descriptor of `done` */
	int links;
	size_t done_len;
	char *rest; /* what is left, inside `buffer` */
	char done[PATH_MAX];
	char buffer[PATH_MAX];
	char name[NAME_MAX + 1];
};

int site_open(struct site *site, const char *root)
{
	site->fd = -1;
	site->real = realpath(root, NULL);
	if (!site->real)
		return -errno;
	site->real_len = strlen(site->real);
	site->fd = open(site->real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return site->fd < 0 ? -errno : 0;
}

void site_close(struct site *site)
{
	free(site->real);
	if (site->fd >= 0)
		close(site->fd);
}

void site_put(const struct site *site, int parent)
{
	if (parent >= 0 && parent != site->fd)
		close(parent);
}

static void walk_enter(struct walk *w, int dir)
{
	site_put(w->site, w->dir);
	w->dir = dir;
}

/* Cuts the next component off w->rest into w->name; false at the end. */
static int walk_next(struct walk *w)
{
	size_t len;

	while (*w->rest == '/')
		w->rest++;
	len = strcspn(w->rest, "/");
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(w->name, w->rest, len);
	w->name[len] = '\0';
	w->rest += len;
	return len > 0;
}

/* Opens w->done again, from the root. */
static int walk_reopen(struct walk *w)
{
	char *at = w->done, *end = w->done + w->done_len;

	walk_enter(w, w->site->fd);
	while (at < end) {
		char *slash = memchr(at, '/', end - at);
		int fd;

		*slash = '\0';
		fd = openat(w->dir, at, OPEN_FLAGS | O_DIRECTORY);
		*slash = '/';
		if (fd < 0)
			return -errno;
		walk_enter(w, fd);
		at = slash + 1;
	}
	return 0;
}

static int walk_up(struct walk *w)
{
	if (!w->done_len)
		return -EXDEV;
	w->done_len--;
	while (w->done_len && w->done[w->done_len - 1] != '/')
		w->done_len--;
	return walk_reopen(w);
}

static int walk_down(struct walk *w, int fd)
{
	size_t len = strlen(w->name);

	if (w->done_len + len + 1 > sizeof(w->done)) {
		close(fd);
		return -ENAMETOOLONG;
	}
	memcpy(w->done + w->done_len, w->name, len);
	w->done_len += len;
	w->done[w->done_len++] = '/';
	walk_enter(w, fd);
	return 0;
}

/* An absolute target counts only below the site's own path. */
static int walk_absolute(struct walk *w)
{
	size_t len = w->site->real_len;

	if (len > 1 && (strncmp(w->rest, w->site->real, len) ||
			   (w->rest[len] && w->rest[len] != '/')))
		return -EXDEV;
	w->rest += len;
	w->done_len = 0;
	walk_enter(w, w->site->fd);
	return 0;
}

/* w->name is a symlink: puts its target in front of w->rest. */
static int walk_link(struct walk *w)
{
	size_t tail = strlen(w->rest), room = sizeof(w->buffer) - tail - 2;
	char *moved = w->buffer + sizeof(w->buffer) - tail - 1;
	ssize_t n;

	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if (tail + 2 >= sizeof(w->buffer))
		return -ENAMETOOLONG;
	memmove(moved, w->rest, tail + 1);
	n = readlinkat(w->dir, w->name, w->buffer, room);
	if (n < 0)
		return -errno;
	if ((size_t)n == room)
		return -ENAMETOOLONG;
	w->rest = w->buffer;
	w->buffer[n] = '/';
	memmove(w->buffer + n + 1, moved, tail + 1);
	if (!tail)
		w->buffer[n] = '\0';
	return w->rest[0] == '/' ? walk_absolute(w) : 0;
}

/* O_NOFOLLOW says ELOOP on Linux, EMLINK on BSD, and with O_DIRECTORY
 * ENOTDIR; only readlink tells for sure. */
static int may_be_link(int error)
{
	return error == ELOOP || error == EMLINK || error == ENOTDIR;
}

/* Takes w->name: 0 to go on, > 0 with the last one open in `*fd`. */
static int walk_step(struct walk *w, int *fd)
{
	int last = w->rest[strspn(w->rest, "/")] == '\0';
	int error;

	if (!strcmp(w->name, "."))
		return 0;
	if (!strcmp(w->name, ".."))
		return walk_up(w);
	*fd =
	    openat(w->dir, w->name, OPEN_FLAGS | (*w->rest ? O_DIRECTORY : 0));
	if (*fd >= 0)
		return last ? 1 : walk_down(w, *fd);
	error = -errno;
	if (may_be_link(-error)) {
		char c;

		if (readlinkat(w->dir, w->name, &c, 1) >= 0)
			return walk_link(w);
	}
	return error;
}

int site_resolve(const struct site *site, const char *path, int *parent)
{
	struct walk w;
	size_t len = strlen(path);
	int r, fd = -1;

	*parent = -1;
	if (len >= sizeof(w.buffer))
		return -ENAMETOOLONG;
	w.site = site;
	w.dir = site->fd;
	w.links = 0;
	w.done_len = 0;
	w.rest = memcpy(w.buffer, path, len + 1);
	while ((r = walk_next(&w)) > 0) {
		r = walk_step(&w, &fd);
		if (r)
			break;
	}
	if (!r) { /* the path ended in a directory: the root, "." or ".." */
		fd = openat(w.dir, ".", OPEN_FLAGS | O_DIRECTORY);
		r = fd < 0 ? -errno : 1;
	}
	if (r < 0) {
		site_put(site, w.dir);
		return r;
	}
	*parent = w.dir;
	return fd;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree that is served, and the only way into it.
 */
#ifndef TORIL_APPS_WEBSERVER_SITE_H
#define TORIL_APPS_WEBSERVER_SITE_H

#include <stddef.h>

struct site {
	int fd;     /* its root directory */
	char *real; /* the root's path without symlinks, malloc'ed */
	size_t real_len;
};

/* 0 or -errno. */
int site_open(struct site *site, const char *root);
void site_close(struct site *site);

/*
 * Opens `path` (relative, "" is the root itself) for reading and stores in
 * `*parent` a descriptor of the directory that holds it, which the caller
 * gives back to site_put.  Symlinks are followed as long as they stay
 * inside.  Returns a descriptor or -errno: EXDEV for a way out of the site,
 * else what open says.
 */
int site_resolve(const struct site *site, const char *path, int *parent);
void site_put(const struct site *site, int parent);

#endif

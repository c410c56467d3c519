/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Request targets and URI paths, RFC 3986.
 */
#ifndef TORIL_APPS_WEBSERVER_URI_H
#define TORIL_APPS_WEBSERVER_URI_H

#include "apps/webserver/text.h"

/*
 * Turns a request target into a path below the root: percent-decoded, no
 * "." or "..", no empty component, no leading slash; a trailing slash stays.
 * The root itself becomes "".  Both "/path?query" and "http://host/path" are
 * taken.  `path` is terminated.  Returns its length, or minus the status that
 * refuses the target: 400 (bad escape, NUL, above the root), 404 (an encoded
 * slash: no file can have that name) or 414 (does not fit).
 */
int uri_decode(struct str target, char *path, size_t cap, struct str *query);

/* Appends a path, percent-encoded; also safe inside an HTML attribute. */
void uri_encode(struct text *t, struct str path);

#endif

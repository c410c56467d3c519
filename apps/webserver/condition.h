/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client's header fields say about the choice of representation:
 * preconditions (RFC 9110 section 13) and content codings (12.5.3).
 */
#ifndef TORIL_APPS_WEBSERVER_CONDITION_H
#define TORIL_APPS_WEBSERVER_CONDITION_H

#include "apps/webserver/text.h"

#include <time.h>

struct http_head;

/* 0 to go on, 304 or 412. */
int condition_check(
    const struct http_head *head, struct str etag, time_t modified);

/* Whether a Range field counts, as far as If-Range has a say. */
bool condition_if_range(
    const struct http_head *head, struct str etag, time_t modified);

/* One of `available` (SIBLING_*), or 0 for the file as it is. */
unsigned coding_choose(struct str accept, unsigned available);

#endif

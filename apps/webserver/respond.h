/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a request head in worker->head to a reply in worker->reply.  Neither
 * sends anything nor waits for the client.
 */
#ifndef TORIL_APPS_WEBSERVER_RESPOND_H
#define TORIL_APPS_WEBSERVER_RESPOND_H

#include "apps/webserver/text.h"

#include <stdbool.h>

struct worker;

void respond(struct worker *worker);

/* `close`: the connection is in a state from which there is no way on. */
void respond_error(struct worker *worker, int status, bool close);

/* Begins a header: status line, Date, Connection. */
void respond_begin(struct worker *worker, int status);
/* Ends it, with Content-Length, and sets the reply's first segment. */
void respond_end(struct worker *worker, uint64_t length);
/* The same without a Content-Length. */
void respond_end_header(struct worker *worker);
/* The same for a text that has its empty line. */
void respond_end_text(struct worker *worker);
/* The same with a short page for people as the body. */
void respond_page(struct worker *worker);
/* Gives the reply's file back. */
void respond_drop_file(struct worker *worker);

/* Makes the HTML list of the directory `fd`, which it closes. */
void respond_listing(struct worker *worker, int fd, struct str path);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reply on its way out: a sequence of segments, each some text and then a
 * stretch of the file.  A plain reply has one, a multipart one has one per
 * range and one for the end.
 */
#ifndef TORIL_APPS_WEBSERVER_REPLY_H
#define TORIL_APPS_WEBSERVER_REPLY_H

#include "apps/webserver/range.h"

#include <stddef.h>

struct file;

struct segment {
	size_t text; /* bytes, taken from the reply's text in turn */
	uint64_t offset, len;
};

struct reply {
	struct file *file; /* a reference, or NULL */
	const char *text;  /* what is left of it */
	unsigned segments, current;
	int status;
	bool close;
	size_t head;   /* bytes of the header */
	uint64_t sent; /* bytes so far, header included */
	struct segment segment[RANGES_MAX + 1];
};

/*
 * Sends as much as the socket takes, and no more than a fair share.  Returns
 * 1 when all is sent, 0 to be called again when the socket is writable, or
 * -errno; EPIPE also if the file has become shorter than promised.
 */
int reply_send(struct reply *reply, int fd);

/* Bytes of text not yet sent. */
size_t reply_text_left(const struct reply *reply);

/* Bytes of body sent, for the log. */
uint64_t reply_body_sent(const struct reply *reply);

#endif

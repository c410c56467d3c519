/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Media types by file name.
 */
#ifndef TORIL_APPS_WEBSERVER_MIME_H
#define TORIL_APPS_WEBSERVER_MIME_H

#include "apps/webserver/text.h"

struct mime {
	char suffix[12];
	bool packed; /* compressed in itself: .gz and .br gain nothing */
	const char *type;
};

/* Never NULL; what is unknown is application/octet-stream. */
const struct mime *mime_of(struct str path);

#endif

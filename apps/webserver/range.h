/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Range header field, RFC 9110 section 14.
 */
#ifndef TORIL_APPS_WEBSERVER_RANGE_H
#define TORIL_APPS_WEBSERVER_RANGE_H

#include "apps/webserver/text.h"

#define RANGES_MAX 16

struct range {
	uint64_t first;
	uint64_t last; /* inclusive, as on the wire */
};

#define RANGE_IGNORE        0  /* send the whole, 200 */
#define RANGE_UNSATISFIABLE -1 /* 416 */

/*
 * Parses `value` for a representation of `size` bytes into `out`, in the
 * client's order.  Returns the number of ranges, 1 to RANGES_MAX, or one of
 * the above.  Ignored are other units, bad syntax, and what asks for more
 * bytes or more pieces than a reader would (14.2 allows that).
 */
int range_parse(struct str value, uint64_t size, struct range *out);

#endif

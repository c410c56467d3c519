/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dates of HTTP (RFC 9110, 5.6.7) and of the access log, all in UTC.
 */
#ifndef TORIL_APPS_WEBSERVER_DATE_H
#define TORIL_APPS_WEBSERVER_DATE_H

#include "apps/webserver/text.h"

#include <time.h>

#define DATE_HTTP_LEN 29 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define DATE_LOG_LEN  26 /* 06/Nov/1994:08:49:37 +0000 */

void date_http(struct text *t, time_t when);
void date_log(struct text *t, time_t when);

/* Takes all three formats that RFC 9110 demands; -1 if it is none. */
time_t date_parse(struct str s);

#endif

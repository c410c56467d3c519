/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * getaddrinfo() and getnameinfo() beside the loop, in threads of their own.
 */
#ifndef TORIL_HOST_LOOKUP_H
#define TORIL_HOST_LOOKUP_H

#include "host/rules.h"

struct lookup {
	char name[256];       /* to look up, or found */
	struct in6_addr addr; /* to look up, if `reverse` */
	bool reverse;
	int error; /* 0 or EAI_* */
	struct rule_pins found;
	void (*done)(struct lookup *l, void *arg); /* frees nothing */
	void *arg;
};

/* Look up `name` or, if that is NULL, `addr`; `done` is called in a later
 * turn of the loop.  NULL if too many are underway. */
struct lookup *lookup_start(const char *name, const struct in6_addr *addr,
    void (*done)(struct lookup *l, void *arg), void *arg);
void lookup_cancel(struct lookup *l); /* `done` is not called */

#endif

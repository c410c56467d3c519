/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What toril-run takes from itself once its children run: a guest that
 * breaks into it through a device's rings finds a process that can copy
 * bytes and little else.
 */
#ifndef TORIL_HOST_CONFINE_H
#define TORIL_HOST_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

/* What a run needs beyond its loop. */
struct confine {
	bool outbound; /* --connect: look names up, in threads; connect */
	bool vhost;    /* a vsock of the kernel's per connection */
	bool unlinks;  /* --vsock-backend, --gdb: remove a socket */
};

/* Capabilities but those in `kept` (bits 0 to 31), in every set, and the
 * chance to gain any.  0 or -errno. */
int privileges_drop(uint32_t kept);

/* No capability, and seccomp: system calls that are not in the list end the
 * process by SIGSYS; with `outbound`, because a resolver's modules may do
 * anything, most of them fail with EPERM instead.  Call with one thread.  0
 * or -errno. */
int confine(const struct confine *c);

#endif

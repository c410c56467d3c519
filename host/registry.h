/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machines that have names, for toril-ps, toril-logs and toril-stop, and
 * --detach.
 *
 * Each has a directory of its own in $TORIL_STATE, $XDG_RUNTIME_DIR/toril or,
 * for root, /run/toril:
 *
 *	state   lines of a word and its value: pid and start (field 22 of
 *	        /proc/PID/stat, for numbers are used again), began (seconds
 *	        since 1970), image, cpus, memory (bytes), publish, detached
 *	log     of --detach: what the program and the launcher print
 *	status  empty until the end, then the exit status
 *
 * Whether a machine runs is whether its process does: an entry without a
 * status whose process has gone was killed.  An entry that has ended stays
 * until toril-ps --clear, or until its name is used again.
 */
#ifndef TORIL_HOST_REGISTRY_H
#define TORIL_HOST_REGISTRY_H

#include "host/options.h"

/* --name and --detach; without either, nothing.  With --detach the process
 * that returns is a child of the caller's, in a session of its own, whose
 * output goes to the log; the caller's waits for registry_started() and ends.
 * 0, or the exit status after a message.  May sleep. */
int registry_enter(const struct options *o, const char *file);

/* The ports are bound: write down which. */
void registry_published(const struct options *o);

/* main() is about to be called. */
void registry_started(void);

/* The last thing: write down how it ended. */
void registry_leave(int status);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that the launcher starts.  Each dies with the launcher,
 * whatever that dies of, and none is left when it has ended.
 */
#ifndef TORIL_HOST_CHILD_H
#define TORIL_HOST_CHILD_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "host/loop.h"
#include "host/util.h"

/* A growing argument vector, NULL at its end. */
struct args {
	char **v;
	unsigned count;
};

void args_add(struct args *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void args_free(struct args *a);
/* Quoted for a shell, on one line without a newline. */
void args_print(const struct args *a, FILE *to);

/* What a child writes, a line at a time. */
struct lines {
	struct loop_fd io;
	struct buf buf;
	void (*line)(struct lines *l, char *text); /* without its newline */
};

struct child {
	const char *name;
	pid_t pid;                       /* 0: not running */
	pid_t group;                     /* its own, and its children's */
	int status;                      /* as of waitpid */
	struct lines out, err;           /* its standard output and error */
	struct buf said;                 /* the last of what it wrote to err */
	int (*prepare)(struct child *c); /* in the child, before exec */
	int keep[2];                     /* descriptors it inherits, or -1 */
};

/* Start argv[0]; 0 or -errno, after a message.  `out.line` is set by the
 * caller. */
int child_start(struct child *c, const struct args *argv);
void child_drain(struct child *c); /* read what it has written so far */
void child_show(struct child *c);  /* print what it said */
bool child_reap(struct child *c, pid_t pid, int status);

/* SIGKILL all that are left, theirs too, and wait for them.  Children that
 * this process had before it became the launcher are let be. */
void children_end(struct child **list, unsigned count);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* How the calls of victim.c and files.c are judged. */
#ifndef TORIL_TESTS_SWEEP_VICTIM_H
#define TORIL_TESTS_SWEEP_VICTIM_H

struct victim {
	int failures;   /* in this round */
	int wrong;      /* what no want of memory explains */
	const char *at; /* where: tmpfs says ENOSPC when it has no memory */
};
extern struct victim victim;

/* Whether it worked; if it did not, for want of memory only. */
int works(long r, const char *what);
/* The same of a call that may stop halfway, where there is no memory. */
int whole(long r, long n, const char *what);
/* What must be so. */
void same(int good, const char *what);
/* Remove it, whatever it is; here, too, memory may be short once. */
void drop(const char *path);

/* files.c: all that is tried in a directory. */
void in_directory(const char *dir);

#endif

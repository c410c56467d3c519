/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program does with a share whose server may lie, and what must hold
 * whatever that says: no call returns more than it was asked for, touches
 * memory that is not its own, or names what is no name.
 */
#ifndef TORIL_TESTS_HOSTILE_OPS_H
#define TORIL_TESTS_HOSTILE_OPS_H

#include <stdbool.h>
#include <stddef.h>

enum trust {
	TRUST_FULLY,  /* the server is honest: no error, right contents */
	TRUST_HEADER, /* right contents, or an error */
	TRUST_NOTHING,
};

#define AREA_SIZE (256u << 10)

/* Memory with a canary in every byte that is not lent, between two guards. */
struct area {
	unsigned char *base;
	size_t at, n; /* lent */
};

void area_init(struct area *a);
void area_free(struct area *a);
unsigned char *area_lend(struct area *a, size_t n); /* at a random place */
bool area_whole(const struct area *a, bool all);    /* all: far ones, too */

struct work {
	const char *root; /* where the share is */
	enum trust trust;
	unsigned id; /* of the thread: its names are its own */
	unsigned long seed, count;
	unsigned long done, failed[512], wrong; /* results */
	struct area area;
};

unsigned long work_random(struct work *w, unsigned long below);
void work_wrong(struct work *w, const char *what, long value);

/* Before the first thread's work_one(). */
void work_init(void);

/* One operation at random.  What is wrong is counted, and said on stdout. */
void work_one(struct work *w);

/* victim_net.c: a server at `port`, or a client if that is 0. */
void net_start(long port);
extern struct work net;
extern unsigned long net_accepted, net_connects;

#endif

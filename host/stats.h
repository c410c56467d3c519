/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a machine uses and does: --stats prints a line each second, --metrics
 * serves the same to Prometheus (metrics.c).
 */
#ifndef TORIL_HOST_STATS_H
#define TORIL_HOST_STATS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "kernel/control/wire.h"

struct run;

/* TCP connections: towards the program, and its own. */
enum { STATS_IN, STATS_OUT, STATS_WAYS };

struct stats {
	unsigned open[STATS_WAYS];
	uint64_t total[STATS_WAYS];
	struct ctl_counts guest; /* a second old at most */
	bool asked;              /* the guest, and no answer yet */
};
extern struct stats stats;

static inline void stats_opened(int way)
{
	stats.open[way]++;
	stats.total[way]++;
}

static inline void stats_closed(int way)
{
	stats.open[way]--;
}

/* QEMU runs, and the launcher is not confined yet: open what is read later,
 * and start the clock of --stats. */
void stats_prepare(struct run *run);
void stats_finish(void);

/* In Prometheus's text format. */
void stats_print(struct run *run, FILE *to);

/* metrics.c: listen, 0 or -errno after a message; close all. */
int metrics_open(struct run *run);
void metrics_finish(void);

#endif

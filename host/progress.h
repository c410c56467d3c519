/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bar for what takes longer than two seconds, where stderr is a terminal and
 * only there.  How long it will take is not known: the bar says for how long
 * it has, and that something moves.
 */
#ifndef TORIL_HOST_PROGRESS_H
#define TORIL_HOST_PROGRESS_H

#include <stdbool.h>

/* Begin to wait for `what` (kept); `fresh` begins a line, where somebody else
 * may have left one unfinished.  Needs the loop; may be called once more only
 * after progress_end. */
void progress_begin(const char *what, bool fresh);

/* It is over: the bar goes.  Harmless without progress_begin. */
void progress_end(void);

/* Before anything else is written on stderr: the bar goes, to come again. */
void progress_hide(void);

#endif

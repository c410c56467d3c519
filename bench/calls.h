/* SPDX-License-Identifier: BSD-2-Clause */
/* What kernel calls cost: the same program on Toril and as /init of Linux. */
#ifndef TORIL_BENCH_CALLS_H
#define TORIL_BENCH_CALLS_H

/* Does all there is to count, with the files of `folder` (bench/count.py
 * makes them), and prints a line for each span: number, times, name.  Returns
 * 0, or 1 after a message if anything failed. */
int calls_run(const char *folder);

#endif

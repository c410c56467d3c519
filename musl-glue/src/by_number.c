/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pulls the table of kernel calls into an image: toril-cc asks for it where
 * the program contains SYSCALL instructions of its own.
 */
extern long toril_kcall_by_number(
    long nr, long a, long b, long c, long d, long e, long f);

extern long (*const toril_by_number_hook)(
    long, long, long, long, long, long, long);
long (*const toril_by_number_hook)(
    long, long, long, long, long, long, long) = toril_kcall_by_number;

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel calls as program code sees them: sys_NAME takes up to six words
 * and returns a result or -errno, with the semantics of Linux x86-64's call
 * of that name.  The C functions behind them are declared by calls_impl.h.
 */
#ifndef TORIL_POSIX_CALLS_H
#define TORIL_POSIX_CALLS_H

#include "kernel/lib/base.h"

#define KCALL(nr, name, kind) long toril_sys_##name();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include "posix/calls.def"
#pragma GCC diagnostic pop
#undef KCALL

/* Call by number, for syscall(2) and the SYSCALL instruction. */
long toril_kcall_by_number(
    long nr, long a, long b, long c, long d, long e, long f);

#endif

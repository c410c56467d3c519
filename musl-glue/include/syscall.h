/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands before musl's internal syscall.h: takes it, then makes cancellation
 * points and socket calls direct as well.
 *
 * musl's own way is one assembly function that takes the number at run time.
 * Here the call is direct, unless pthread_cancel is linked, and with it a
 * function that does it between two looks at whether there is a request
 * (musl-glue/src/cancel.c).
 */
#ifndef TORIL_MUSL_SYSCALL_H
#define TORIL_MUSL_SYSCALL_H

#include_next "syscall.h"

extern weak hidden long __toril_cp(
    long nr, long a, long b, long c, long d, long e, long f);

/* Apart, so that nothing has to be kept across a call. */
#define TORIL_CP_SLOW(...) TORIL_CP_PADDED(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define TORIL_CP_PADDED(n, a, b, c, d, e, f, ...)                              \
	__toril_cp(                                                            \
	    n, __scc(a), __scc(b), __scc(c), __scc(d), __scc(e), __scc(f))

#define TORIL_CP(n, ...)                                                       \
	(__builtin_expect(__toril_cp != 0, 0)                                  \
		? TORIL_CP_SLOW(n, ##__VA_ARGS__)                              \
		: __syscall(n, ##__VA_ARGS__))

#undef __syscall_cp
#define __syscall_cp(n, ...) TORIL_CP(n, ##__VA_ARGS__)

/* open() names the count itself, from within the macro that counts. */
#undef __syscall_cp3
#define __syscall_cp3(n, a, b, c)                                              \
	(__toril_cp ? TORIL_CP_SLOW(n, a, b, c)                                \
		    : __syscall3(n, __scc(a), __scc(b), __scc(c)))

#undef __socketcall
#undef __socketcall_cp
#define __socketcall(nm, a, b, c, d, e, f)                                     \
	__syscall(SYS_##nm, (long)(a), (long)(b), (long)(c), (long)(d),        \
	    (long)(e), (long)(f))
#define __socketcall_cp(nm, a, b, c, d, e, f)                                  \
	__syscall_cp(SYS_##nm, (long)(a), (long)(b), (long)(c), (long)(d),     \
	    (long)(e), (long)(f))

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands before musl's internal syscall.h: takes it, then makes cancellation
 * points and socket calls direct as well.
 *
 * musl's own way is one assembly function that takes the number at run time.
 * Here the call is direct, between two hooks that exist only where
 * pthread_cancel is linked (musl-glue/src/cancel.c).
 */
#ifndef TORIL_MUSL_SYSCALL_H
#define TORIL_MUSL_SYSCALL_H

#include_next "syscall.h"

extern weak hidden long __toril_cp_begin(long nr);
extern weak hidden long __toril_cp_end(long nr, long result);

#define TORIL_CP(n, ...) TORIL_CP_CALL(n, __syscall(n, ##__VA_ARGS__))
#define TORIL_CP_CALL(n, call)                                                 \
	({                                                                     \
		long cp_r_ = 0;                                                \
		if (__toril_cp_begin)                                          \
			cp_r_ = __toril_cp_begin(n);                           \
		if (!cp_r_) {                                                  \
			cp_r_ = call;                                          \
			if (__toril_cp_begin)                                  \
				cp_r_ = __toril_cp_end(n, cp_r_);              \
		}                                                              \
		cp_r_;                                                         \
	})

#undef __syscall_cp
#define __syscall_cp(n, ...) TORIL_CP(n, ##__VA_ARGS__)

/* open() names the count itself, from within the macro that counts. */
#undef __syscall_cp3
#define __syscall_cp3(n, a, b, c)                                              \
	TORIL_CP_CALL(n, __syscall3(n, __scc(a), __scc(b), __scc(c)))

#undef __socketcall
#undef __socketcall_cp
#define __socketcall(nm, a, b, c, d, e, f)                                     \
	__syscall(SYS_##nm, (long)(a), (long)(b), (long)(c), (long)(d),        \
	    (long)(e), (long)(f))
#define __socketcall_cp(nm, a, b, c, d, e, f)                                  \
	__syscall_cp(SYS_##nm, (long)(a), (long)(b), (long)(c), (long)(d),     \
	    (long)(e), (long)(f))

#endif

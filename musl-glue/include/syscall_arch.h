/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel calls as musl makes them: a number known at compile time becomes a
 * direct call of the kernel's function; only syscall(2) and the few callers
 * with a number known at run time go through the table.
 * Takes the place of musl's arch/x86_64/syscall_arch.h.
 */
#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)

#define KCALL(nr, name, kind) extern long toril_sys_##name();
#include "posix/calls.def"
#undef KCALL

extern long toril_kcall_by_number(
    long nr, long a, long b, long c, long d, long e, long f);

#define TORIL_INLINE static inline __attribute__((always_inline))

typedef long toril_fn0(void);
typedef long toril_fn1(long);
typedef long toril_fn2(long, long);
typedef long toril_fn3(long, long, long);
typedef long toril_fn4(long, long, long, long);
typedef long toril_fn5(long, long, long, long, long);
typedef long toril_fn6(long, long, long, long, long, long);

#define CALL(fn) ((toril_fn0 *)fn)()
TORIL_INLINE long __syscall0(long n)
{
#include "syscall_switch.h"
	return toril_kcall_by_number(n, 0, 0, 0, 0, 0, 0);
}
#undef CALL

#define CALL(fn) ((toril_fn1 *)fn)(a)
TORIL_INLINE long __syscall1(long n, long a)
{
#include "syscall_switch.h"
	return toril_kcall_by_number(n, a, 0, 0, 0, 0, 0);
}
#undef CALL

#define CALL(fn) ((toril_fn2 *)fn)(a, b)
TORIL_INLINE long __syscall2(long n, long a, long b)
{
#include "syscall_switch.h"
	return toril_kcall_by_number(n, a, b, 0, 0, 0, 0);
}
#undef CALL

#define CALL(fn) ((toril_fn3 *)fn)(a, b, c)
TORIL_INLINE long __syscall3(long n, long a, long b, long c)
{
#include "syscall_switch.h"
	return toril_kcall_by_number(n, a, b, c, 0, 0, 0);
}
#undef CALL

#define CALL(fn) ((toril_fn4 *)fn)(a, b, c, d)
TORIL_INLINE long __syscall4(long n, long a, long b, long c, long d)
{
#include "syscall_switch.h"
	return toril_kcall_by_number(n, a, b, c, d, 0, 0);
}
#undef CALL

#define CALL(fn) ((toril_fn5 *)fn)(a, b, c, d, e)
TORIL_INLINE long __syscall5(long n, long a, long b, long c, long d, long e)
{
#include "syscall_switch.h"
	return toril_kcall_by_number(n, a, b, c, d, e, 0);
}
#undef CALL

#define CALL(fn) ((toril_fn6 *)fn)(a, b, c, d, e, f)
TORIL_INLINE long __syscall6(
    long n, long a, long b, long c, long d, long e, long f)
{
#include "syscall_switch.h"
	return toril_kcall_by_number(n, a, b, c, d, e, f);
}
#undef CALL

#define IPC_64 0

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every kernel file may use without asking: fixed-width types, error
 * numbers (Linux's), and a handful of macros.  No state, no functions.
 */
#ifndef TORIL_KERNEL_LIB_BASE_H
#define TORIL_KERNEL_LIB_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/errno.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define KIB 1024ul
#define MIB (1024ul * KIB)
#define GIB (1024ul * MIB)

#define NSEC_PER_SEC  1000000000ull
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_USEC 1000ull

#define ARRAY_LEN(a)     (sizeof(a) / sizeof((a)[0]))
#define ALIGN_UP(x, a)   (((x) + ((a)-1)) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define container_of(p, type, member)                                          \
	((type *)((char *)(p)-offsetof(type, member)))

/* Unique inner names, so that they nest without shadowing. */
#define MINMAX_(a, b, op, x, y)                                                \
	({                                                                     \
		__typeof__(a) x = (a);                                         \
		__typeof__(b) y = (b);                                         \
		x op y ? x : y;                                                \
	})
#define MINMAX_NAMED_(a, b, op, n)  MINMAX_NAMED2_(a, b, op, n)
#define MINMAX_NAMED2_(a, b, op, n) MINMAX_(a, b, op, a_##n, b_##n)
#define min(a, b)                   MINMAX_NAMED_(a, b, <, __COUNTER__)
#define max(a, b)                   MINMAX_NAMED_(a, b, >, __COUNTER__)

#define static_assert _Static_assert
#define likely(x)         __builtin_expect(!!(x), 1)
#define unlikely(x)       __builtin_expect(!!(x), 0)
#define noreturn          _Noreturn
#define must_check        __attribute__((warn_unused_result))
#define printf_like(f, a) __attribute__((format(printf, f, a)))

/* Read-only once the program runs: written by the kernel's start alone. */
#define sealed __attribute__((section(".bss.sealed")))

/* Read by all CPUs all the time: apart from what they write. */
#define read_mostly __attribute__((section(".bss.read_mostly")))

/* Internal result of a kernel call that a signal interrupted and that is to
 * be restarted if the handler has SA_RESTART; programs never see it. */
#define ERESTARTSYS 512

#ifndef __ssize_t_defined
#define __ssize_t_defined
typedef long ssize_t;
#endif

/* User-visible quantities of Linux x86-64. */
#define PATH_MAX 4096
#define NAME_MAX 255
#define IOV_MAX  1024
#define RW_MAX   0x7ffff000l /* longest transfer of one read or write */

#endif

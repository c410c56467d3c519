/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <sys/cdefs.h>, which musl leaves out: what programs from BSD and programs
 * written for glibc commonly take from it.  It claims to be neither.
 */
#ifndef _SYS_CDEFS_H
#define _SYS_CDEFS_H

#ifdef __cplusplus
#define __BEGIN_DECLS extern "C" {
#define __END_DECLS   }
#else
#define __BEGIN_DECLS
#define __END_DECLS
#endif

#undef __P
#define __P(args)      args
#define __PMT(args)    args
#define __CONCAT(a, b) a##b
#define __STRING(x)    #x
#define __ptr_t        void *
#define __THROW
#define __NTH(call) call
#ifndef __always_inline
#define __always_inline __inline __attribute__((__always_inline__))
#endif

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The body of syscall_arch.h's functions: a direct call where n is known at
 * compile time, by way of CALL(function).
 */
#define KCALL(nr, name, kind)                                                  \
	case nr:                                                               \
		return CALL(toril_sys_##name);
if (__builtin_constant_p(n)) {
	switch (n) {
#include "posix/calls.def"
	default:
		return -38; /* ENOSYS */
	}
}
#undef KCALL

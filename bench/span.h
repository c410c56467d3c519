/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program and bench/plugin/count.c agree on: NOPs with an operand that
 * no compiler makes begin and end the counting of a span.
 */
#ifndef TORIL_BENCH_SPAN_H
#define TORIL_BENCH_SPAN_H

#define SPANS      64
#define SPAN_MAGIC 0x70617300u /* and twice the number, and 1 at the end */

/* `n` is a constant; nothing is moved across. */
#define SPAN_BEGIN(n)                                                          \
	__asm__ volatile("nopl %c0(%%rax)"                                     \
			 :                                                     \
			 : "i"(SPAN_MAGIC + 2 * (n))                           \
			 : "memory")
#define SPAN_END(n)                                                            \
	__asm__ volatile("nopl %c0(%%rax)"                                     \
			 :                                                     \
			 : "i"(SPAN_MAGIC + 2 * (n) + 1)                       \
			 : "memory")

#endif

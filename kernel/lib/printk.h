/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel messages and string formatting.  The formatter knows d i u x X p s c
 * with width, zero padding, and the l, ll and z lengths; nothing else.
 */
#ifndef TORIL_KERNEL_LIB_PRINTK_H
#define TORIL_KERNEL_LIB_PRINTK_H

#include <stdarg.h>
#include "kernel/lib/base.h"

/* Format into buf (size bytes, always terminated if size > 0); returns the
 * length the whole text would have had. */
int kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int ksnprintf(char *buf, size_t size, const char *fmt, ...) printf_like(3, 4);

/* A message on the UART, whatever the verbosity; for what is wrong. */
void printk(const char *fmt, ...) printf_like(1, 2);

/* A message on the UART if `toril.verbose` is on the command line. */
void printk_verbose(const char *fmt, ...) printf_like(1, 2);
extern bool printk_is_verbose;

#endif

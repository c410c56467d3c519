/* SPDX-License-Identifier: BSD-2-Clause */
/* The 16550 at COM1, polled: for panics and verbose messages only. */
#ifndef TORIL_KERNEL_ARCH_X86_64_UART_H
#define TORIL_KERNEL_ARCH_X86_64_UART_H

#include <stddef.h>

/* Any context.  Waits for the transmitter, at most some milliseconds. */
void uart_write(const char *s, size_t n);

#endif

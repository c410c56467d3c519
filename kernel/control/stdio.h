/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors 0, 1 and 2: the launcher's own, over the control channel. */
#ifndef TORIL_KERNEL_CONTROL_STDIO_H
#define TORIL_KERNEL_CONTROL_STDIO_H

#include "kernel/control/wire.h"
#include "kernel/lib/base.h"

/* Install what `how` says is open; port is that of the control stream.
 * 0 or -ENOMEM. */
int stdio_install(uint32_t port, const struct ctl_stdio *how);

/* Without a launcher: output to the UART. */
int stdio_install_uart(void);

void stdio_set_winsize(const struct ctl_winsize *w);

/* Bytes written so far to descriptor 1 or 2's stream. */
uint64_t stdio_written(int fd);

#endif

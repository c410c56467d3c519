/* SPDX-License-Identifier: BSD-2-Clause */
/* AF_UNIX: connected pairs so far. */
#ifndef TORIL_KERNEL_NET_UNIX_H
#define TORIL_KERNEL_NET_UNIX_H

struct file;

/* socketpair(2) of stream sockets; flags are O_NONBLOCK and such. */
int unix_pair(unsigned flags, struct file *out[2]);

#endif

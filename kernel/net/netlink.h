/* SPDX-License-Identifier: BSD-2-Clause */
/* AF_NETLINK: NETLINK_ROUTE's dumps of interfaces and addresses; see
 * netlink.c. */
#ifndef TORIL_KERNEL_NET_NETLINK_H
#define TORIL_KERNEL_NET_NETLINK_H

#include "kernel/lib/base.h"

struct file;
struct socket;

/* socket(2): 0, -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -ENOBUFS. */
int netlink_socket(struct socket *s);

/* Is it such a socket? */
bool netlink_is(struct file *f);

/* Put a message of kernel memory into such a socket's queue.  Does not sleep;
 * dropped when memory is short. */
void netlink_tell(struct file *f, const void *data, size_t n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The one network interface, lo, as ioctls and netlink describe it. */
#ifndef TORIL_KERNEL_NET_INTERFACE_H
#define TORIL_KERNEL_NET_INTERFACE_H

#include "kernel/lib/base.h"

#define LO_INDEX    1
#define LO_NAME     "lo"
#define LO_MTU      65536
#define LO_TX_QUEUE 1000

/* netdevice(7)'s ioctls of a socket of that family; -ENOTTY for others.
 * -ENODEV, -ENXIO, -EPERM (all that change something), -EFAULT. */
long interface_ioctl(int family, unsigned cmd, void *user);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* AF_VSOCK for socket(2). */
#ifndef TORIL_KERNEL_NET_VSOCK_SOCKET_H
#define TORIL_KERNEL_NET_VSOCK_SOCKET_H

struct socket;

/* 0 or -errno. */
int vsock_socket(struct socket *s);

#endif

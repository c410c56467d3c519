/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AF_INET and AF_INET6 stream sockets, carried over vsock; see inet.c.
 */
#ifndef TORIL_KERNEL_NET_INET_H
#define TORIL_KERNEL_NET_INET_H

#include "kernel/lib/base.h"

struct socket;

/* The launcher lets connections out: its SOCKS server's vsock port. */
void inet_allow_outbound(uint32_t socks_port);

/* socket(2) for the two families; 0 or -errno. */
int inet_socket(struct socket *s);

#endif

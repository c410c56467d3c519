/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AF_INET and AF_INET6: stream sockets, carried over vsock (inet.c), and
 * datagrams within the guest (udp.c).
 */
#ifndef TORIL_KERNEL_NET_INET_H
#define TORIL_KERNEL_NET_INET_H

#include "kernel/lib/base.h"

struct socket;

/* The launcher lets connections out: its SOCKS server's vsock port. */
void inet_allow_outbound(uint32_t socks_port);

uint32_t inet_socks_port(void); /* 0: nothing goes out */

/* socket(2) for the two families; 0 or -errno. */
int inet_socket(struct socket *s);
int udp_socket(struct socket *s); /* its datagram sockets */

#endif

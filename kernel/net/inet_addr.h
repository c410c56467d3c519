/* SPDX-License-Identifier: BSD-2-Clause */
/* Internet addresses, and the two protocols that carry them over vsock. */
#ifndef TORIL_KERNEL_NET_INET_ADDR_H
#define TORIL_KERNEL_NET_INET_ADDR_H

#include "kernel/lib/base.h"

struct sock_addr;
struct vsock_conn;

/* IPv6, or IPv4 as ::ffff:a.b.c.d; the port in host byte order. */
struct inet_addr {
	uint8_t ip[16];
	uint16_t port;
};

bool inet_is_v4(const struct inet_addr *a);
bool inet_is_any(const struct inet_addr *a); /* of its family */
bool inet_is_loopback(const struct inet_addr *a);
void inet_any_v4(struct inet_addr *a);
void inet_loopback_v4(struct inet_addr *a, uint16_t port);
void inet_loopback_like(struct inet_addr *a); /* of a's family; keeps port */

/* From the program's sockaddr for a socket of `family`: -EINVAL (length),
 * -EAFNOSUPPORT.  And back, with its length. */
int inet_import(const struct sock_addr *s, int family, struct inet_addr *a);
void inet_export(const struct inet_addr *a, int family, struct sock_addr *s);

/* PROXY protocol v2: a filter that is done once the header is complete, and
 * the function that then takes the header off. */
bool proxy_filter(struct vsock_conn *c);
void proxy_take(
    struct vsock_conn *c, struct inet_addr *peer, struct inet_addr *local);

/* Connect through the SOCKS5 server on that vsock port (RFC 1928). */
struct vsock_conn *socks_connect(
    uint32_t port, const struct inet_addr *to, int *err);

#endif

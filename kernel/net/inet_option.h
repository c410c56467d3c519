/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options of IP, IPv6, TCP and UDP.  Most tune a network that is not there:
 * they are checked as Linux checks them, kept, inherited by accepted sockets
 * and given back.
 */
#ifndef TORIL_KERNEL_NET_INET_OPTION_H
#define TORIL_KERNEL_NET_INET_OPTION_H

#include "kernel/lib/base.h"

struct socket;
struct inet_values;

/* For socket_ops; any socket of AF_INET and AF_INET6. */
int inet_option_set(struct socket *s, int level, int name, int value);
int inet_option_get(struct socket *s, int level, int name, int *value);

/* An option's value as it stands; 0 for one that isn't there. */
int inet_option(const struct socket *s, int level, int name);

/* For an accepted socket (kfree); NULL when memory is short.  From NULL: what
 * a new socket has. */
struct inet_values *inet_values_copy(const struct inet_values *from);

/* Options that are not an int: -ENOPROTOOPT for all others.  v and *len are
 * in kernel memory; a value is at most INET_BLOB_MAX bytes. */
#define INET_BLOB_MAX 256u
int inet_blob_set(
    struct socket *s, int level, int name, const void *v, uint32_t len);
int inet_blob_get(
    struct socket *s, int level, int name, void *v, uint32_t *len);

#endif

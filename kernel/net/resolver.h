/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Name servers: the C library's resolver speaks UDP to port 53; what it sends
 * is carried to the launcher, which answers for names that the user allowed.
 */
#ifndef TORIL_KERNEL_NET_RESOLVER_H
#define TORIL_KERNEL_NET_RESOLVER_H

#include "kernel/lib/base.h"

struct inet_addr;

/* Does the resolver take datagrams to this address? */
bool resolver_takes(const struct inet_addr *to);

/* A query of the UDP socket with that id (kernel memory).  Its answer comes
 * from `to`, by udp_answer.  Does not wait; what is wrong gets no answer. */
void resolver_ask(
    uint64_t id, const struct inet_addr *to, const void *query, size_t n);

/* udp.c: an answer for the socket with that id, if it is still there. */
void udp_answer(
    uint64_t id, const struct inet_addr *from, const void *data, size_t n);

#endif

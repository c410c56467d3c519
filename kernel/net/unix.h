/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AF_UNIX sockets: stream, datagram, seqpacket; unix(7).
 */
#ifndef TORIL_KERNEL_NET_UNIX_H
#define TORIL_KERNEL_NET_UNIX_H

#include "kernel/lib/base.h"

struct file;
struct inode;
struct sock_addr;
struct socket;

#define UNIX_PATH_MAX 108

/* socket(2): 0, -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -ENOBUFS. */
int unix_socket(struct socket *s);

/* socketpair(2); flags are O_NONBLOCK and such.  0 or an error as above. */
int unix_pair(int type, int protocol, unsigned flags, struct file *out[2]);

/* The path in an address, terminated; false if the name is abstract, absent
 * or the address is none of AF_UNIX. */
bool unix_path(const struct sock_addr *a, char path[UNIX_PATH_MAX + 1]);

/* Bind to a path whose socket file the caller has just made: takes over the
 * reference to its inode on success.  0 or -EINVAL (bound already). */
int unix_bind_inode(
    struct socket *s, const struct sock_addr *a, struct inode *i);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of AF_UNIX share.
 *
 * One spin lock, unix_lock, covers who is bound to what and connected to
 * whom: a pointer to another socket is good as long as it is held, since a
 * socket that ends takes itself out of all of them.  Packets are made and
 * copied outside of it.
 *
 * Letters: [u] unix_lock, [i] fixed at creation.
 */
#ifndef TORIL_KERNEL_NET_UNIX_INTERNAL_H
#define TORIL_KERNEL_NET_UNIX_INTERNAL_H

#include "kernel/net/packet.h"
#include "kernel/net/socket_abi.h"

struct inode;

struct unix_sock {
	struct socket *s;        /* [i] its local, peer and connected: [u] */
	struct list node;        /* [u] in `names`, if it has one */
	struct inode *inode;     /* [u] of its socket file, or NULL */
	struct unix_sock *peer;  /* [u] */
	struct list clients;     /* [u] datagram sockets connected to this */
	struct list client_node; /* [u] */
	bool peer_gone;          /* [u] a datagram socket's: say so once */
	unsigned shut;           /* [u] STREAM_SHUT_* */
	int error;               /* [u] pending, positive */
	bool embryo;             /* [i] made by connect for accept */
	struct packetq in;
};

extern struct spinlock unix_lock;

static inline struct unix_sock *unix_of(struct socket *s)
{
	return s->priv;
}

static inline bool unix_is_dgram(const struct unix_sock *u)
{
	return u->s->type == SOCK_DGRAM;
}

/* Names.  A target is a resolved address: resolving may sleep and comes
 * first, the socket is then looked up with the lock held. */
struct unix_target {
	const struct sock_addr *addr;
	struct inode *inode; /* with a reference, or NULL: abstract */
};
int unix_target_find(struct unix_target *t, const struct sock_addr *a);
void unix_target_end(struct unix_target *t);
/* NULL: *err is -ECONNREFUSED or -EPROTOTYPE. */
struct unix_sock *unix_target_locked(
    const struct unix_target *t, int type, int *err);
int unix_bind(struct socket *s, const struct sock_addr *a);
int unix_autobind(struct socket *s); /* if it has no name yet */
void unix_unbind_locked(struct unix_sock *u, struct inode **inode);

/* Sending and receiving. */
ssize_t unix_send(struct socket *s, struct socket_msg *m);
ssize_t unix_recv(struct socket *s, struct socket_msg *m);
/* The peer takes no more, or room is there for one more packet. */
bool unix_may_send_locked(struct unix_sock *u);
bool unix_queue_full_locked(const struct unix_sock *u, struct unix_sock *to);

#endif

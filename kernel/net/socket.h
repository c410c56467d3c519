/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets: what all families of stream sockets share.
 *
 * A socket is a file.  It is fresh, listening, or has a stream.  The family
 * makes listeners and streams; sending, receiving, waiting, time-outs and
 * options are done here.
 *
 * Letters: [l] lock, [i] fixed at creation.
 */
#ifndef TORIL_KERNEL_NET_SOCKET_H
#define TORIL_KERNEL_NET_SOCKET_H

#include "kernel/fs/file.h"
#include "kernel/net/stream.h"

#define SOCKADDR_MAX 128

struct socket;

/* An address of any family, as the program sees it. */
struct sock_addr {
	uint32_t len;
	union {
		uint16_t family;
		uint8_t bytes[SOCKADDR_MAX];
	};
};

/* A connection that waits to be accepted. */
struct pending_conn {
	struct list node;
	struct stream *stream;
	struct sock_addr local, peer;
};

struct socket_ops {
	int (*bind)(struct socket *s, const struct sock_addr *a);
	int (*listen)(struct socket *s);
	/* Take no more connections: shutdown of a listener.  0 or -ENOTCONN
	 * where there is no such thing. */
	int (*unlisten)(struct socket *s);
	/* Start to connect: sets s->stream.  0 if connected, -EINPROGRESS,
	 * or an error. */
	int (*connect)(struct socket *s, const struct sock_addr *a);
	/* Once the stream is no longer connecting: 0 or a positive errno. */
	int (*connect_result)(struct socket *s);
	bool (*is_connecting)(struct socket *s);
	/* Options of the family's own levels. */
	int (*setsockopt)(struct socket *s, int level, int name, int value);
	int (*getsockopt)(struct socket *s, int level, int name, int *value);
	void (*release)(struct socket *s); /* stop listening, free priv */
};

struct socket {
	const struct socket_ops *ops;      /* [i] */
	int family, type, protocol;        /* [i] */
	struct file *file;                 /* [i] */
	struct mutex lock;                 /* bind, listen, connect */
	struct waitq wait;                 /* state changes, accept queue */
	struct stream *stream;             /* [l] set once */
	bool bound, listening, connecting; /* [l] */
	bool connected;                    /* [l] has been */
	struct sock_addr local, peer;      /* [l] */
	struct spinlock queue_lock;
	struct list queue;           /* [queue_lock] struct pending_conn */
	unsigned queue_len, backlog; /* [queue_lock] */
	uint64_t recv_timeout, send_timeout; /* ns, 0: none */
	uint32_t recv_buffer, send_buffer;
	uint32_t flags;    /* 1 << SO_*, as set by the program */
	bool linger_reset; /* SO_LINGER with 0 seconds */
	int linger_on, linger_seconds;
	void *priv; /* the family's */
};

/* Make a socket's file; ops, family and priv are for the family's create
 * function to set.  NULL when memory is short. */
struct file *socket_create(int family, int type, unsigned flags);

/* The socket behind a file, or NULL if it is none. */
struct socket *socket_of(struct file *f);

/* A connected socket around a stream, as accept and socketpair make. */
struct file *socket_from_stream(
    const struct socket *like, struct stream *st, unsigned flags);

/* For families: queue a connection; false (and it is the caller's still) if
 * the socket no longer listens or memory is short. */
bool socket_queue_push(struct socket *s, struct stream *st,
    const struct sock_addr *local, const struct sock_addr *peer);
bool socket_queue_has_room(struct socket *s);

int socket_no_unlisten(struct socket *s); /* -ENOTCONN */

/* The calls, with kernel copies of addresses. */
int socket_listen(struct socket *s, int backlog);
int socket_accept(struct socket *s, unsigned flags, struct sock_addr *peer,
    struct file **out);
int socket_connect(struct socket *s, const struct sock_addr *a);
ssize_t socket_send(struct socket *s, struct iov_iter *it, unsigned flags);
ssize_t socket_recv(struct socket *s, struct iov_iter *it, unsigned flags);
int socket_shutdown(struct socket *s, int how);
int socket_setopt(
    struct socket *s, int level, int name, const void *user, uint32_t len);
int socket_getopt(
    struct socket *s, int level, int name, void *user, uint32_t *user_len);

#endif

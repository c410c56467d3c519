/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets: what all families share.
 *
 * A socket is a file.  Its family's ops do what the calls ask for.  Families
 * of stream sockets (TCP, vsock) make listeners and streams and leave sending,
 * receiving and waiting to the socket_stream_* functions here; AF_UNIX, UDP
 * and netlink queue packets (packet.h).  Options are common to all.
 *
 * Letters: [l] lock, [i] fixed at creation.
 */
#ifndef TORIL_KERNEL_NET_SOCKET_H
#define TORIL_KERNEL_NET_SOCKET_H

#include "kernel/fs/file.h"
#include "kernel/net/stream.h"

#define SOCKADDR_MAX      128
#define SOCKET_FLAG(name) (1u << (name))
#define SOCKET_KEPT       6

struct socket;
struct inet_values;

/* An address of any family, as the program sees it. */
struct sock_addr {
	uint32_t len;
	union {
		uint16_t family;
		uint8_t bytes[SOCKADDR_MAX];
	};
};

/* Who sends: the one process, with the ids that it has. */
struct sock_cred {
	int32_t pid;
	uint32_t uid, gid;
};
extern struct sock_cred socket_cred;

/* Open files under way: SCM_RIGHTS. */
struct rights {
	unsigned nr;
	struct file *file[]; /* with references; NULL: taken out */
};
struct rights *rights_alloc(unsigned nr); /* NULL: memory is short */
void rights_free(struct rights *r);       /* may sleep; NULL is fine */

/* One message on its way in or out. */
struct socket_msg {
	struct iov_iter it;
	unsigned flags;             /* MSG_*, as called */
	const struct sock_addr *to; /* send: destination, or NULL */
	struct sock_addr from;      /* recv: len 0 if there is none to say */
	struct sock_addr dest;      /* recv: where it was sent to (UDP) */
	struct rights *rights;      /* send: taken over; recv: the caller's */
	struct sock_cred cred;
	unsigned out; /* recv: MSG_TRUNC and the like */
};

#define NOBODY 65534 /* the user of a message without a sender */

/* For a call; the two addresses are left as they are, but for their length. */
static inline void socket_msg_init(struct socket_msg *m, unsigned flags)
{
	m->flags = flags;
	m->to = NULL;
	m->from.len = m->dest.len = 0;
	m->rights = NULL;
	m->cred = (struct sock_cred){0, NOBODY, NOBODY};
	m->out = 0;
}

/* A connection that waits to be accepted. */
struct pending_conn {
	struct list node;
	struct stream *stream;
	struct file *ready; /* the accepted socket itself, instead */
	struct sock_addr local, peer;
};

struct socket_ops {
	int (*bind)(struct socket *s, const struct sock_addr *a);
	int (*listen)(struct socket *s);
	/* Take no more connections: shutdown of a listener.  0 or -ENOTCONN
	 * where there is no such thing. */
	int (*unlisten)(struct socket *s);
	/* connect(2), sleeping as needed. */
	int (*connect)(struct socket *s, const struct sock_addr *a);
	/* sendmsg(2) and recvmsg(2).  SIGPIPE is the caller's business. */
	ssize_t (*send)(struct socket *s, struct socket_msg *m);
	ssize_t (*recv)(struct socket *s, struct socket_msg *m);
	unsigned (*poll)(struct socket *s, struct poll_table *pt);
	/* STREAM_SHUT_* of a socket that does not listen. */
	int (*shutdown)(struct socket *s, unsigned how);
	size_t (*pending)(struct socket *s); /* FIONREAD */
	size_t (*unsent)(struct socket *s);  /* SIOCOUTQ */
	/* For socket_stream_connect.  Start to connect: sets s->stream.  0 if
	 * connected, -EINPROGRESS, or an error. */
	int (*connect_start)(struct socket *s, const struct sock_addr *a);
	/* The pending error, which is then gone: 0 or a positive errno.  For
	 * streams: once no longer connecting. */
	int (*connect_result)(struct socket *s);
	bool (*is_connecting)(struct socket *s);
	/* Options of the family's own levels. */
	int (*setsockopt)(struct socket *s, int level, int name, int value);
	int (*getsockopt)(struct socket *s, int level, int name, int *value);
	void (*release)(struct socket *s); /* stop listening, free priv */
};

struct socket {
	const struct socket_ops *ops; /* [i] */
	int family, type, protocol;   /* [i] */
	struct file *file;            /* [i] */
	struct mutex lock;            /* bind, listen, connect */
	struct waitq wait;            /* state changes, accept queue */
	struct stream *stream;        /* [l] set once connected */
	struct stream *failed; /* [l] attempts: others may still wait on them */
	bool bound, listening, connecting; /* [l] */
	bool connected;                    /* [l] has been */
	bool accepted;                     /* [l] by accept(2) */
	struct sock_addr local, peer;      /* [l] */
	struct spinlock queue_lock;
	struct list queue;           /* [queue_lock] struct pending_conn */
	unsigned queue_len, backlog; /* [queue_lock] */
	uint64_t recv_timeout, send_timeout; /* ns, 0: none */
	uint32_t recv_buffer, send_buffer;
	uint32_t flags;    /* SOCKET_FLAG(SO_*), as set by the program */
	bool linger_reset; /* SO_LINGER with 0 seconds */
	int linger_on, linger_seconds;
	struct sock_cred peer_cred;  /* SO_PEERCRED */
	uint64_t cookie;             /* [i] SO_COOKIE */
	bool lo_only;                /* SO_BINDTODEVICE with "lo" */
	int kept[SOCKET_KEPT];       /* options without effect */
	struct inet_values *options; /* inet_option.c's, or NULL */
	void *priv;                  /* the family's */
};

/* Who waits for room in the queue of a socket that is not his: woken by
 * accept and by readers. */
extern struct waitq socket_room;

/* Make a socket's file; ops, family and priv are for the family's create
 * function to set.  NULL when memory is short. */
struct file *socket_create(int family, int type, unsigned flags);

/* Its stream, or NULL.  A stream that has failed stays with its socket, so
 * the pointer is good as long as the socket is. */
static inline struct stream *socket_stream(const struct socket *s)
{
	return __atomic_load_n(&s->stream, __ATOMIC_ACQUIRE);
}

/* The socket behind a file, or NULL if it is none. */
struct socket *socket_of(struct file *f);

/* A connected socket around a stream, as accept and socketpair make. */
struct file *socket_from_stream(
    const struct socket *like, struct stream *st, unsigned flags);

/* For families: queue a connection; false (and it is the caller's still) if
 * the socket no longer listens or memory is short. */
bool socket_queue_push(struct socket *s, struct stream *st,
    const struct sock_addr *local, const struct sock_addr *peer);
/* The same for a socket that is connected already.  Does not sleep. */
bool socket_queue_push_ready(
    struct socket *s, struct file *ready, const struct sock_addr *peer);
bool socket_queue_has_room(struct socket *s);

int socket_no_unlisten(struct socket *s); /* -ENOTCONN */

/* For families of streams. */
int socket_stream_connect(struct socket *s, const struct sock_addr *a);
ssize_t socket_stream_send(struct socket *s, struct socket_msg *m);
ssize_t socket_stream_recv(struct socket *s, struct socket_msg *m);
unsigned socket_stream_poll(struct socket *s, struct poll_table *pt);
int socket_stream_shutdown(struct socket *s, unsigned how);
size_t socket_stream_pending(struct socket *s);
size_t socket_no_unsent(struct socket *s); /* 0 */
#define SOCKET_STREAM_OPS                                                      \
	.connect = socket_stream_connect, .send = socket_stream_send,          \
	.recv = socket_stream_recv, .poll = socket_stream_poll,                \
	.shutdown = socket_stream_shutdown, .pending = socket_stream_pending,  \
	.unsent = socket_no_unsent

/* For families' own waits: does a call with these MSG_* flags block?  Until
 * when?  And what its caller sees of an interrupted or late wait. */
bool socket_blocks(const struct socket *s, unsigned flags);
uint64_t socket_deadline(uint64_t timeout);
int socket_wait_error(int err, uint64_t timeout);

/* The calls, with kernel copies of addresses. */
int socket_listen(struct socket *s, int backlog);
int socket_accept(struct socket *s, unsigned flags, struct sock_addr *peer,
    struct file **out);
ssize_t socket_send(struct socket *s, struct socket_msg *m);
ssize_t socket_recv(struct socket *s, struct socket_msg *m);
int socket_shutdown(struct socket *s, int how);
int socket_setopt(
    struct socket *s, int level, int name, const void *user, uint32_t len);
int socket_getopt(
    struct socket *s, int level, int name, void *user, uint32_t *user_len);

#endif

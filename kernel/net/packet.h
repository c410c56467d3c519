/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets and their queues: what AF_UNIX, UDP and netlink sockets receive.
 *
 * A packet is one message in memory: a head that its family defines (an
 * address, say), the bytes, who sent it, and open files on their way
 * (SCM_RIGHTS).  A queue belongs to one socket.  Its lock covers the list and
 * the sums; read_lock lets one reader at a time look at the first packet
 * while it copies to the program, with no other lock held.
 */
#ifndef TORIL_KERNEL_NET_PACKET_H
#define TORIL_KERNEL_NET_PACKET_H

#include "kernel/lib/list.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/socket.h"

/* What a packet counts for beyond its bytes, so that empty ones are bounded. */
#define PACKET_OVERHEAD 512u

struct packet {
	struct list node;
	uint32_t len, off; /* payload, and how much of it is read already */
	uint32_t head_len;
	struct sock_cred cred;
	struct rights *rights; /* or NULL; owned */
	uint8_t bytes[];       /* the head, then the payload */
};

struct packetq {
	struct spinlock lock;
	struct list packets; /* [lock] */
	unsigned nr;         /* [lock] */
	size_t bytes;        /* [lock] not read yet */
	size_t charge;       /* [lock] bytes and overhead */
	struct mutex read_lock;
};

/* A packet with n bytes from the cursor, or from kernel memory (`data` may be
 * NULL: to be filled in).  The first may sleep.  NULL: *err says -EFAULT or
 * -ENOBUFS; the second: memory is short. */
struct packet *packet_from_iter(const void *head, uint32_t head_len,
    struct iov_iter *it, size_t n, int *err);
struct packet *packet_from_memory(
    const void *head, uint32_t head_len, const void *data, size_t n);
static inline uint8_t *packet_data(struct packet *p)
{
	return p->bytes + p->head_len;
}
void packet_free(struct packet *p); /* with its files; may sleep */

void packetq_init(struct packetq *q);
/* Free what is left.  May sleep.  Sockets that were under way in a packet may
 * end here, and their own packets with them: such depth costs no stack. */
void packetq_drain(struct packetq *q);
void packetq_push(struct packetq *q, struct packet *p);

static inline bool packetq_empty(const struct packetq *q)
{
	return __atomic_load_n(&q->nr, __ATOMIC_ACQUIRE) == 0;
}

/* Bytes of the first packet, 0 if there is none. */
size_t packetq_first(struct packetq *q);

/* Receive one packet as recvmsg(2) has it for datagrams: flags MSG_PEEK and
 * MSG_TRUNC are heeded, m->out says MSG_TRUNC; rights and credentials go to
 * m, up to head_size bytes of the head to `head`.  -EAGAIN: there is none. */
ssize_t packetq_take(struct packetq *q, struct socket_msg *m, void *head,
    uint32_t head_size, uint32_t *head_len);

/* The same for byte streams: as much as there is, up to and including a
 * packet with rights.  Bytes, -EAGAIN, -EFAULT. */
ssize_t packetq_read(struct packetq *q, struct socket_msg *m);

#endif

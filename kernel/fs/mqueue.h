/* SPDX-License-Identifier: BSD-2-Clause */
/* POSIX message queues, mq_overview(7): the queues and their descriptors. */
#ifndef TORIL_KERNEL_FS_MQUEUE_H
#define TORIL_KERNEL_FS_MQUEUE_H

#include <linux/mqueue.h>
#include "kernel/mm/uaccess.h"

struct file;

struct mq_open {
	const char *name; /* without the slash */
	unsigned flags;   /* O_* */
	uint32_t mode;
	const struct mq_attr *attr; /* or NULL: 10 messages of 8 KiB */
};

/* How a message that arrives at an empty queue is announced: by a signal, or
 * by a cookie that is put into a socket, its last byte saying why (the C
 * library's threads, SIGEV_THREAD). */
#define MQ_COOKIE  32
#define MQ_WOKEN   1
#define MQ_REMOVED 2
struct mq_notify {
	int signo; /* 0: not at all, but the registration counts */
	uint64_t value;
	struct file *socket; /* or NULL; mq_notify takes a reference */
	void (*tell)(struct file *socket, const void *data, size_t n);
	uint8_t cookie[MQ_COOKIE];
};

/* All may sleep.  Results are those of the calls of the same names. */
int mq_open(const struct mq_open *how, struct file **f);
int mq_unlink(const char *name);
int mq_attr(struct file *f, const struct mq_attr *new, struct mq_attr *old);
int mq_notify(struct file *f, const struct mq_notify *n); /* NULL: no more */

/* Move one message; deadline as of clock_monotonic. */
int mq_send(struct file *f, const char *user, size_t len, unsigned prio,
    uint64_t deadline);
ssize_t mq_receive(
    struct file *f, char *user, size_t len, unsigned *prio, uint64_t deadline);

/* Bytes that all queues together may take: RLIMIT_MSGQUEUE. */
extern uint64_t mq_bytes_max;

#endif

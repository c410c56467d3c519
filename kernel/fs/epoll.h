/* SPDX-License-Identifier: BSD-2-Clause */
/* epoll(7). */
#ifndef TORIL_KERNEL_FS_EPOLL_H
#define TORIL_KERNEL_FS_EPOLL_H

#include "kernel/lib/base.h"

struct file;

struct epoll_event64 {
	uint32_t events;
	uint64_t data;
} __attribute__((packed));

struct file *epoll_create_file(void); /* NULL: no memory */
bool file_is_epoll(const struct file *f);

/* epoll_ctl(2): ep and target files, the descriptor that names the target.
 * -EEXIST, -ENOENT, -EINVAL, -ELOOP, -ENOMEM. */
int epoll_control(struct file *ep, int op, int fd, struct file *target,
    const struct epoll_event64 *ev);

/* Wait for at most max events, written to the program's array.  Their number,
 * 0 at the deadline, -EINTR, -EFAULT. */
int epoll_collect(
    struct file *ep, struct epoll_event64 *user, int max, uint64_t deadline);

#endif

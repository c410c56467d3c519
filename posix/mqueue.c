/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of POSIX message queues: entries to kernel/fs/mqueue.c. */
#include <linux/fcntl.h>
#include <linux/limits.h>
#include "kernel/fs/file.h"
#include "kernel/fs/mqueue.h"
#include "kernel/net/netlink.h"
#include "kernel/net/socket.h"
#include "kernel/sched/signal.h"
#include "posix/calls.h"
#include "posix/fs.h"
#include "posix/time_convert.h"

#define OPEN_FLAGS                                                             \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NONBLOCK | O_CLOEXEC | O_LARGEFILE)

/* A queue's name is a single component. */
static long name_import(char name[NAME_MAX + 1], const char *user)
{
	ssize_t n = copy_in_string(name, user, NAME_MAX + 1);

	if (n < 0)
		return n;
	if (n == 0)
		return -ENOENT;
	for (ssize_t i = 0; i < n; i++)
		if (name[i] == '/')
			return -EACCES;
	return name[0] == '.' && (n == 1 || (n == 2 && name[1] == '.'))
		   ? -EACCES
		   : 0;
}

long kcall_mq_open(const char *user, unsigned flags, uint32_t mode,
    const struct mq_attr *user_attr)
{
	char name[NAME_MAX + 1];
	struct mq_attr attr;
	struct mq_open how = {.name = name, .flags = flags};
	struct file *f;
	long r = name_import(name, user);

	if (r)
		return r;
	if (flags & ~(unsigned)OPEN_FLAGS)
		return -EINVAL;
	if (flags & O_CREAT && user_attr) {
		if (copy_in(&attr, user_attr, sizeof(attr)))
			return -EFAULT;
		how.attr = &attr;
	}
	how.mode = mode & 0777 & ~fs_umask();
	r = mq_open(&how, &f);
	return r ? r : fs_install(f, flags & O_CLOEXEC);
}

long kcall_mq_unlink(const char *user)
{
	char name[NAME_MAX + 1];
	long r = name_import(name, user);

	return r ? r : mq_unlink(name);
}

/* The deadline of a call: absolute, of the wall clock. */
static long deadline_import(
    const struct __kernel_timespec *user, uint64_t *deadline)
{
	uint64_t ns;
	long err;

	*deadline = DEADLINE_NEVER;
	if (!user)
		return 0;
	err = timespec_import(user, &ns);
	if (!err)
		*deadline = deadline_of_realtime(ns);
	return err;
}

long kcall_mq_timedsend(int fd, const char *text, size_t len, unsigned prio,
    const struct __kernel_timespec *timeout)
{
	uint64_t deadline;
	struct file *f;
	long r = deadline_import(timeout, &deadline);

	if (r)
		return r;
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	r = mq_send(f, text, len, prio, deadline);
	file_put(f);
	return r;
}

long kcall_mq_timedreceive(int fd, char *text, size_t len, unsigned *prio,
    const struct __kernel_timespec *timeout)
{
	uint64_t deadline;
	unsigned got = 0;
	struct file *f;
	long r = deadline_import(timeout, &deadline);

	if (r)
		return r;
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	r = mq_receive(f, text, len, &got, deadline);
	file_put(f);
	if (r >= 0 && prio && put_user(prio, got))
		return -EFAULT;
	return r;
}

/* Linux's struct sigevent. */
struct event {
	uint64_t value;
	int32_t signo, notify;
	int32_t pad[12];
};

enum { SIGNAL, NONE, THREAD };

static long event_import(const struct event *user, struct mq_notify *n)
{
	struct event e;

	if (copy_in(&e, user, sizeof(e)))
		return -EFAULT;
	if (e.notify != SIGNAL && e.notify != NONE && e.notify != THREAD)
		return -EINVAL;
	if (e.notify == SIGNAL && (e.signo < 0 || e.signo > SIGNALS))
		return -EINVAL;
	n->signo = e.notify == SIGNAL ? e.signo : 0;
	n->value = e.value;
	if (e.notify != THREAD)
		return 0;
	/* The value is where the cookie is, the number a netlink socket. */
	if (copy_in(n->cookie, (void *)e.value, MQ_COOKIE))
		return -EFAULT;
	n->socket = fd_get(e.signo);
	n->tell = netlink_tell;
	if (!n->socket)
		return -EBADF;
	return netlink_is(n->socket)  ? 0
	       : socket_of(n->socket) ? -EINVAL
				      : -ENOTSOCK;
}

long kcall_mq_notify(int fd, const struct event *user)
{
	struct mq_notify n = {0};
	struct file *f = NULL;
	long r = user ? event_import(user, &n) : 0;

	if (!r) {
		f = fd_get(fd);
		r = f ? mq_notify(f, user ? &n : NULL) : -EBADF;
	}
	if (f)
		file_put(f);
	if (n.socket)
		file_put(n.socket);
	return r;
}

long kcall_mq_getsetattr(
    int fd, const struct mq_attr *new, struct mq_attr *user_old)
{
	struct mq_attr want, old;
	struct file *f;
	long r;

	if (new &&copy_in(&want, new, sizeof(want)))
		return -EFAULT;
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	r = mq_attr(f, new ? &want : NULL, &old);
	file_put(f);
	if (!r && user_old)
		r = copy_out(user_old, &old, sizeof(old));
	return r;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* signalfd(2). */
#include <linux/fcntl.h>
#include <linux/signalfd.h>
#include "kernel/fs/file.h"
#include "kernel/fs/signalfd.h"
#include "posix/calls.h"
#include "posix/fs.h"

#define SIGSET_SIZE 8

static long change(int fd, uint64_t set)
{
	struct file *f = fd_get(fd);
	long err;

	if (!f)
		return -EBADF;
	err = signalfd_change(f, set);
	file_put(f);
	return err ? err : fd;
}

long kcall_signalfd4(int fd, const uint64_t *user, size_t size, int flags)
{
	struct file *f;
	uint64_t set;

	if (size != SIGSET_SIZE || flags & ~(SFD_CLOEXEC | SFD_NONBLOCK))
		return -EINVAL;
	if (get_user(set, user))
		return -EFAULT;
	if (fd != -1)
		return change(fd, set);
	f = signalfd_create(set, (unsigned)flags & SFD_NONBLOCK);
	return fs_install(f, flags & SFD_CLOEXEC);
}

long kcall_signalfd(int fd, const uint64_t *user, size_t size)
{
	return kcall_signalfd4(fd, user, size, 0);
}

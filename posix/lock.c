/* SPDX-License-Identifier: BSD-2-Clause */
/* Record locks; see lock.h. */
#include <linux/fcntl.h>
#include "kernel/fs/file.h"
#include "posix/lock.h"

long lock_fcntl(struct file *f, int cmd, void *user)
{
	struct flock lk;

	if (copy_in(&lk, user, sizeof(lk)))
		return -EFAULT;
	if (cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW)
		return -EINVAL; /* owned by the open file: not offered */
	if (lk.l_type != F_RDLCK && lk.l_type != F_WRLCK &&
	    lk.l_type != F_UNLCK)
		return -EINVAL;
	if (lk.l_whence < 0 || lk.l_whence > 2)
		return -EINVAL;
	if (!f->seekable)
		return -EINVAL;
	if (cmd == F_GETLK) {
		lk.l_type = F_UNLCK;
		return copy_out(user, &lk, sizeof(lk));
	}
	if (lk.l_type == F_RDLCK && (f->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (lk.l_type == F_WRLCK && (f->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Record locks, fcntl(F_SETLK) and its kin.
 *
 * There is one process, and POSIX record locks never conflict within one;
 * those of open files (F_OFD_SETLK) do.  On a share whose virtiofsd has POSIX
 * locks, those of other processes on the host count too.
 */
#ifndef TORIL_POSIX_LOCK_H
#define TORIL_POSIX_LOCK_H

struct file;

/* struct flock of the program at `user`; f was found as fd.  0 or -errno;
 * -EBADF if it was closed while this waited. */
long lock_fcntl(struct file *f, int fd, int cmd, void *user);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * killpg() of the one process group, 1, in the place of musl's: that makes it
 * kill(-1), which means everybody else, and there is nobody.
 */
#include <errno.h>
#include <signal.h>
#include "syscall.h"

#define GROUP 1

int killpg(pid_t pgid, int sig)
{
	if (pgid < 0)
		return __syscall_ret(-EINVAL);
	return syscall(SYS_kill, pgid == GROUP ? 0 : -pgid, sig);
}

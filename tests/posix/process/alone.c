/* SPDX-License-Identifier: BSD-2-Clause */
/* toril only: there is one process, number 2, beside init, number 1.
 *
 * What would make another one fails with ENOSYS, and says so; what asks
 * about others finds none. */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/posix/check.h"

int main(void)
{
	char *const argv[] = {"true", NULL};
	siginfo_t info;
	pid_t pid;

	CHECK(getpid() == 2 && getppid() == 1);
	CHECK_ERR(fork(), ENOSYS);
	CHECK_ERR(vfork(), ENOSYS);
	CHECK_ERR(execv("/bin/true", argv), ENOSYS);
	CHECK(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, NULL) == ENOSYS);
	CHECK_ERR(system("true"), ENOSYS);
	errno = 0;
	CHECK(!popen("true", "r") && errno == ENOSYS);
	CHECK_ERR(daemon(0, 0), ENOSYS);
	CHECK_ERR(wait(NULL), ECHILD);
	CHECK_ERR(waitpid(-1, NULL, WNOHANG), ECHILD);
	CHECK_ERR(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
	CHECK_ERR(waitid(P_ALL, 0, &info, 0), EINVAL);
	CHECK(getpgrp() == 2 && getpgid(0) == 2 && getsid(0) == 2);
	CHECK(getpgid(1) == 1 && getsid(1) == 1);
	CHECK_ERR(setsid(), EPERM);
	CHECK_ERR(setpgid(0, 0), EPERM);
	CHECK_ERR(setpgid(99, 0), ESRCH);
	CHECK_ERR(getpgid(99), ESRCH);
	CHECK_ERR(getsid(99), ESRCH);
	CHECK_ERR(kill(99, 0), ESRCH);
	CHECK(!kill(0, 0));
	CHECK_ERR(kill(-1, SIGTERM), ESRCH);
	CHECK(!kill(1, SIGKILL) && !kill(1, SIGTERM)); /* init has no handler */
	CHECK(!kill(-2, 0) && !kill(-getpgrp(), 0));
	CHECK(!access("/proc/1/stat", R_OK) && !access("/proc/2/maps", R_OK));
	CHECK(!setpriority(PRIO_PROCESS, 1, 3));
	CHECK(getpriority(PRIO_PROCESS, 1) == 3);
	CHECK(!getpriority(PRIO_PROCESS, 0));
	CHECK(!killpg(getpgrp(), 0) && !killpg(0, 0));
	CHECK_ERR(killpg(99, 0), ESRCH);
	return 0;
}

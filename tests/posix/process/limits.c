/* SPDX-License-Identifier: BSD-2-Clause */
/* Resource limits are kept, checked, and where they bind, bind. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "tests/posix/check.h"

static volatile sig_atomic_t over;

static void on_xcpu(int signo)
{
	over += signo == SIGXCPU;
}

static void kept(int which)
{
	struct rlimit l, again;

	CHECK(!getrlimit(which, &l));
	CHECK(l.rlim_cur <= l.rlim_max);
	l.rlim_cur = 12345;
	if (l.rlim_cur > l.rlim_max)
		return;
	CHECK(!setrlimit(which, &l));
	CHECK(!getrlimit(which, &again));
	CHECK(again.rlim_cur == 12345 && again.rlim_max == l.rlim_max);
	l.rlim_max = 12344;
	CHECK_ERR(setrlimit(which, &l), EINVAL);
}

int main(void)
{
	struct rlimit l = {20, 20};
	volatile unsigned work = 0;
	char name[16];
	int fd, last = -1;

	kept(RLIMIT_CORE);
	kept(RLIMIT_STACK);
	kept(RLIMIT_RSS);
	kept(RLIMIT_NPROC);
	CHECK_ERR(getrlimit(99, &l), EINVAL);
	l = (struct rlimit){20, 20};
	CHECK(!setrlimit(RLIMIT_NOFILE, &l));
	while ((fd = dup(0)) >= 0)
		last = fd;
	CHECK(errno == EMFILE && last == 19);
	CHECK_ERR(fcntl(0, F_DUPFD, 20), EINVAL);

	signal(SIGXCPU, on_xcpu);
	l = (struct rlimit){1, 100};
	CHECK(!setrlimit(RLIMIT_CPU, &l));
	while (!over)
		work++;

	CHECK(prctl(PR_GET_DUMPABLE, 0) == 1);
	CHECK(!prctl(PR_SET_DUMPABLE, 0) && !prctl(PR_GET_DUMPABLE, 0));
	CHECK(!prctl(PR_SET_NAME, "a name"));
	CHECK(!prctl(PR_GET_NAME, name) && !strcmp(name, "a name"));
	CHECK(!prctl(PR_SET_KEEPCAPS, 1) && prctl(PR_GET_KEEPCAPS) == 1);
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK_ERR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	CHECK_ERR(prctl(12345), EINVAL);
	return 0;
}

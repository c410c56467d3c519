/* SPDX-License-Identifier: BSD-2-Clause */
/* Who and where am I. */
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "tests/posix/check.h"

int main(int argc, char **argv)
{
	struct utsname u;
	struct sysinfo s;
	struct rlimit r;
	struct rusage usage;
	char cwd[4096];

	CHECK(argc > 1 && getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, argv[1]));
	CHECK(uname(&u) == 0 && u.sysname[0] && u.release[0]);
	CHECK(!strcmp(u.machine, "x86_64"));
	CHECK(getpid() > 0 && getppid() >= 0);
	CHECK(getuid() == geteuid() && getgid() == getegid());
	CHECK(sysinfo(&s) == 0 && s.totalram > 0 && s.freeram > 0);
	CHECK(s.freeram <= s.totalram);
	CHECK(sysconf(_SC_PAGESIZE) == 4096);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
	CHECK(sysconf(_SC_OPEN_MAX) >= 64);
	CHECK(getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur >= 64);
	CHECK(getrlimit(RLIMIT_STACK, &r) == 0 && r.rlim_cur >= 65536);
	CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
	CHECK_ERR(getrlimit(99, &r), EINVAL);
	CHECK(isatty(0) == 0);
	return 0;
}

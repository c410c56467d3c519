/* SPDX-License-Identifier: BSD-2-Clause */
/* files: how many descriptors there can be, with all the limits raised. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

int main(void)
{
	struct rlimit l, more = {2000000, 2000000};
	int n = 0, fd;

	if (setrlimit(RLIMIT_NOFILE, &more) == 0 || errno != EPERM)
		return 2;
	if (getrlimit(RLIMIT_NOFILE, &l))
		return 3;
	l.rlim_cur = l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l))
		return 4;
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		n = fd + 1;
	printf("%d %s\n", n, strerror(errno));
	return 0;
}

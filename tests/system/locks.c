/* SPDX-License-Identifier: BSD-2-Clause */
/* For locks_test.py: locks a file of a share as the other side looks on. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int lock(int fd, int cmd, short type, off_t start, off_t len)
{
	struct flock lk = {.l_type = type,
	    .l_whence = SEEK_SET,
	    .l_start = start,
	    .l_len = len};

	return fcntl(fd, cmd, &lk) ? errno : 0;
}

static void say(const char *what, int value)
{
	printf("%s %d\n", what, value);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct flock lk = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(argv[1], O_RDWR);
	char line[16];

	(void)argc;
	if (fd < 0 || fcntl(fd, F_GETLK, &lk))
		return 1;
	say("type", lk.l_type == F_WRLCK);
	say("start", (int)lk.l_start);
	say("len", (int)lk.l_len);
	say("try", lock(fd, F_SETLK, F_RDLCK, 15, 1) == EAGAIN);
	say("beside", lock(fd, F_SETLK, F_WRLCK, 50, 10));
	say("wait", lock(fd, F_SETLKW, F_WRLCK, 0, 30));
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	close(fd);
	say("closed", 0);
	return fgets(line, sizeof(line), stdin) ? 0 : 1;
}

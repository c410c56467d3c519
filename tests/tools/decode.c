/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel calls whose arguments have names; the same on Linux. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void files(void)
{
	struct stat st;
	int fd = open("/tmp/toril-decode", O_RDWR | O_CREAT | O_APPEND, 0600);

	fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	fcntl(fd, F_GETFD);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_GETFD);
	(void)!ftruncate(fd, 4096);
	lseek(fd, -96, SEEK_END);
	(void)!pread(fd, &st, 8, 3);
	syscall(SYS_fstat, fd, &st);
	syscall(SYS_stat, "/dev/null", &st);
	syscall(SYS_stat, "/nowhere", &st);
	syscall(SYS_faccessat, AT_FDCWD, "/tmp", W_OK | X_OK);
	syscall(SYS_newfstatat, AT_FDCWD, "/tmp/toril-decode", &st,
	    AT_SYMLINK_NOFOLLOW);
	syscall(SYS_unlinkat, AT_FDCWD, "/tmp/toril-decode", 0);
	close(fd);
}

static void memory(void)
{
	char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(at, 4096, PROT_NONE);
	mprotect(at, 4096, PROT_READ);
	munmap(at, 8192);
	mmap(NULL, 0, PROT_READ, MAP_SHARED, 5, 0);
}

static void streams(void)
{
	struct iovec iov[2] = {{"one", 3}, {"two\0three", 9}};
	struct timespec ts = {0, 1000000};
	struct pollfd p[2];
	char text[16];
	int fd[2];

	pipe2(fd, O_CLOEXEC | O_NONBLOCK);
	p[0] = (struct pollfd){fd[0], POLLIN, 0};
	p[1] = (struct pollfd){fd[1], POLLOUT | POLLPRI, 0};
	poll(p, 1, 0);
	(void)!writev(fd[1], iov, 2);
	poll(p, 2, 100);
	(void)!read(fd[0], text, 12);
	(void)!read(fd[0], text, 12);
	nanosleep(&ts, NULL);
	close(fd[0]);
	close(fd[1]);
}

static void sockets(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons(1),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_un un = {AF_UNIX, "/tmp/nowhere"};
	socklen_t len = sizeof(in);
	int fd, one = 1, pair[2];

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	bind(fd, (void *)&in, sizeof(in) - 8);
	in.sin_port = htons(14999);
	bind(fd, (void *)&in, sizeof(in));
	listen(fd, 5);
	getsockname(fd, (void *)&in, &len);
	shutdown(fd, SHUT_WR);
	close(fd);
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	connect(fd, (void *)&un, 15);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	sendto(pair[0], "hello", 5, MSG_NOSIGNAL, NULL, 0);
}

/* By number: numbers, strings and addresses are all they have. */
static void others(void)
{
	struct timespec ts;

	syscall(SYS_creat, "/nowhere/file", 0640);
	syscall(SYS_chown, "/nowhere", 1, 2);
	syscall(SYS_fchownat, AT_FDCWD, "/nowhere", 1, 2, AT_SYMLINK_NOFOLLOW);
	syscall(SYS_symlinkat, "to", AT_FDCWD, "/nowhere/from");
	syscall(SYS_readlinkat, AT_FDCWD, "/nowhere", &ts, 8);
	syscall(SYS_getxattr, "/nowhere", "user.name", NULL, 0);
	syscall(SYS_removexattr, "/nowhere", "user.name");
	syscall(SYS_statfs, "/nowhere", &ts);
	syscall(SYS_chroot, "/nowhere");
	syscall(SYS_alarm, 0);
	syscall(SYS_epoll_create, 0);
	syscall(SYS_inotify_rm_watch, 99, 1);
	syscall(SYS_timer_delete, 99);
	syscall(SYS_mlock, 0, 0);
	syscall(SYS_clock_settime, CLOCK_MONOTONIC, NULL);
	syscall(SYS_mq_unlink, "nowhere");
}

int main(void)
{
	lseek(99, 99, SEEK_SET); /* where a comparison begins */
	files();
	memory();
	streams();
	sockets();
	others();
	_exit(0);
}

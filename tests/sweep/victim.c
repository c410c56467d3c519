/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * victim DIR: files in DIR and in memory, names, mappings, threads, pipes and
 * sockets, three times.  Once the kernel may say that there is no memory, for
 * any of it; the next time all must work again.  Prints what failed and then
 * the kernel's counts of what is left.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int failures, wrong;
static const char *at; /* tmpfs says ENOSPC when it has no memory */

/* Whether it worked; if it did not, for want of memory only. */
static int works(long r, const char *what)
{
	if (r >= 0)
		return 1;
	failures++;
	if (errno != ENOMEM && errno != ENOBUFS && errno != ENFILE &&
	    errno != EAGAIN && errno != ECONNREFUSED &&
	    (errno != ENOSPC || strcmp(at, "/tmp"))) {
		printf("wrong: %s in %s: %s\n", what, at, strerror(errno));
		wrong = 1;
	} else {
		printf("%s in %s: %s\n", what, at, strerror(errno));
	}
	return 0;
}

/* The same of a call that may stop halfway, where there is no memory. */
static int whole(long r, long n, const char *what)
{
	if (!works(r, what) || r == n)
		return r == n;
	failures++;
	printf("%s in %s: %ld of %ld\n", what, at, r, n);
	return 0;
}

static void same(int good, const char *what)
{
	if (good)
		return;
	printf("wrong: %s\n", what);
	wrong = 1;
}

/* Here, too, memory may be short once. */
static void drop(const char *path)
{
	for (int i = 0; i < 2; i++)
		if (remove(path) == 0 || errno == ENOENT || works(-1, "remove"))
			return;
}

static void files(const char *dir)
{
	char path[200], other[200], buf[9000], back[9000];
	int fd;

	memset(buf, 'q', sizeof(buf));
	snprintf(path, sizeof(path), "%s/file", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	drop(path);
	drop(other);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	if (!works(fd, "open"))
		return;
	if (whole(pwrite(fd, buf, sizeof(buf), 0), sizeof(buf), "pwrite") &&
	    whole(pread(fd, back, sizeof(back), 0), sizeof(back), "pread"))
		same(!memcmp(buf, back, sizeof(buf)), "contents");
	works(fsync(fd), "fsync");
	if (works(rename(path, other), "rename"))
		same(access(path, F_OK) < 0, "renamed");
	works(close(fd), "close");
	drop(path);
	drop(other);
}

static void maps(const char *dir)
{
	char path[200];
	char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	if (works(p == MAP_FAILED ? -1 : 0, "mmap")) {
		works(mprotect(p + 4096, 4096, PROT_READ), "mprotect");
		works(munmap(p + 65536, 4096), "munmap in the middle");
		munmap(p, 1 << 20);
	}
	snprintf(path, sizeof(path), "%s/map", dir);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	if (!works(fd, "open to map"))
		return;
	if (works(ftruncate(fd, 8192), "ftruncate")) {
		p = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
		if (works(p == MAP_FAILED ? -1 : 0, "mmap of a file"))
			munmap(p, 8192);
	}
	close(fd);
	drop(path);
}

static void *add_one(void *arg)
{
	++*(int *)arg;
	return arg;
}

static void threads(void)
{
	pthread_t t[4];
	int n[4] = {0};

	for (int i = 0; i < 4; i++) {
		errno = pthread_create(&t[i], NULL, add_one, &n[i]);
		if (!works(errno ? -1 : 0, "pthread_create"))
			continue;
		pthread_join(t[i], NULL);
		same(n[i] == 1, "a thread's work");
	}
}

static void echo(int a, int b, const char *what)
{
	char buf[3000], back[3000];

	memset(buf, 'e', sizeof(buf));
	if (whole(write(a, buf, sizeof(buf)), sizeof(buf), what) &&
	    whole(
		recv(b, back, sizeof(back), MSG_DONTWAIT), sizeof(back), what))
		same(!memcmp(buf, back, sizeof(buf)), what);
}

static void sockets(void)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int pair[2], l, c, s;

	if (works(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair")) {
		echo(pair[0], pair[1], "a Unix socket");
		close(pair[0]);
		close(pair[1]);
	}
	l = socket(AF_INET, SOCK_STREAM, 0);
	if (!works(l, "socket"))
		return;
	c = socket(AF_INET, SOCK_STREAM, 0);
	if (works(bind(l, (void *)&a, len), "bind") &&
	    works(listen(l, 4), "listen") &&
	    works(getsockname(l, (void *)&a, &len), "getsockname") &&
	    works(c, "another socket") &&
	    works(connect(c, (void *)&a, len), "connect")) {
		fcntl(l, F_SETFL, O_NONBLOCK);
		s = accept(l, NULL, NULL);
		if (works(s, "accept")) {
			echo(c, s, "a TCP socket");
			close(s);
		}
	}
	close(l);
	if (c >= 0)
		close(c);
}

static void events(void)
{
	struct epoll_event ev = {.events = EPOLLIN};
	struct itimerspec soon = {.it_value = {.tv_nsec = 1000}};
	int e = epoll_create1(0), t, p[2];

	if (!works(e, "epoll_create"))
		return;
	t = timerfd_create(CLOCK_MONOTONIC, 0);
	if (works(t, "timerfd_create")) {
		if (works(epoll_ctl(e, EPOLL_CTL_ADD, t, &ev), "epoll_ctl") &&
		    works(timerfd_settime(t, 0, &soon, NULL), "settime") &&
		    whole(epoll_wait(e, &ev, 1, 60000), 1, "epoll_wait"))
			same(ev.events == EPOLLIN, "an event");
		close(t);
	}
	close(e);
	if (works(pipe(p), "pipe")) {
		works(write(p[1], "x", 1), "write to a pipe");
		close(p[0]);
		close(p[1]);
	}
}

static void names(const char *dir)
{
	char path[200], other[200], buf[4096];
	int fd, failed = failures;
	DIR *d;

	snprintf(path, sizeof(path), "%s/dir", dir);
	snprintf(other, sizeof(other), "%s/dir/link", dir);
	drop(other);
	drop(path);
	if (!works(mkdir(path, 0700), "mkdir"))
		return;
	if (works(symlink("to", other), "symlink"))
		whole(readlink(other, buf, sizeof(buf)), 2, "readlink");
	d = opendir(path);
	if (works(d ? 0 : -1, "opendir")) {
		for (int i = 0; i < 4 && failed == failures; i++) {
			errno = 0;
			if (!readdir(d) && errno)
				works(-1, "readdir");
		}
		closedir(d);
	}
	fd = open(path, O_RDONLY | O_DIRECTORY);
	if (works(fd, "open a directory")) {
		works(flock(fd, LOCK_EX), "flock");
		works(fchmod(fd, 0755), "fchmod");
		close(fd);
	}
	drop(other);
	drop(path);
}

static void locks(const char *dir)
{
	struct flock part = {.l_type = F_WRLCK, .l_start = 10, .l_len = 100};
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/lock", dir);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	if (!works(fd, "open to lock"))
		return;
	if (works(fcntl(fd, F_SETLK, &part), "F_SETLK")) {
		part = (struct flock){
		    .l_type = F_UNLCK, .l_start = 50, .l_len = 1};
		works(fcntl(fd, F_SETLK, &part), "F_SETLK in the middle");
	}
	close(fd);
	drop(path);
}

static void pass_descriptor(int to, int from)
{
	char byte = 'd', space[CMSG_SPACE(sizeof(int))] = "";
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v,
	    .msg_iovlen = 1,
	    .msg_control = space,
	    .msg_controllen = sizeof(space)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int fd;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &to, sizeof(int));
	if (!works(sendmsg(to, &m, 0), "sendmsg") ||
	    !works(recvmsg(from, &m, MSG_DONTWAIT), "recvmsg"))
		return;
	c = CMSG_FIRSTHDR(&m);
	if (!c)
		return; /* as on Linux: MSG_CTRUNC */
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	close(fd);
}

static void datagrams(void)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int s = socket(AF_INET, SOCK_DGRAM, 0), pair[2];
	char buf[8];

	if (works(s, "a UDP socket")) {
		if (works(bind(s, (void *)&a, len), "bind") &&
		    works(getsockname(s, (void *)&a, &len), "getsockname") &&
		    works(sendto(s, "x", 1, 0, (void *)&a, len), "sendto"))
			whole(
			    recv(s, buf, sizeof(buf), MSG_DONTWAIT), 1, "recv");
		close(s);
	}
	if (works(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), "datagrams")) {
		pass_descriptor(pair[0], pair[1]);
		close(pair[0]);
		close(pair[1]);
	}
}

static void signals(void)
{
	struct itimerspec soon = {.it_value = {.tv_nsec = 1000}};
	struct sigevent e = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct timespec minute = {60, 0};
	timer_t t;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (works(timer_create(CLOCK_MONOTONIC, &e, &t), "timer_create")) {
		if (works(timer_settime(t, 0, &soon, NULL), "timer_settime"))
			whole(sigtimedwait(&set, NULL, &minute), SIGUSR1,
			    "sigtimedwait");
		timer_delete(t);
	}
	if (works(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1}),
		"sigqueue"))
		whole(sigtimedwait(&set, NULL, &minute), SIGRTMIN,
		    "a queued signal");
}

static void watch(const char *dir)
{
	char path[200], buf[512];
	int i = inotify_init1(IN_NONBLOCK), e, fd;
	uint64_t n;

	snprintf(path, sizeof(path), "%s/seen", dir);
	if (works(i, "inotify_init") &&
	    works(inotify_add_watch(i, dir, IN_CREATE | IN_DELETE), "watch")) {
		fd = open(path, O_CREAT | O_RDWR, 0600);
		if (works(fd, "open what is watched")) {
			close(fd);
			/* an event that finds no memory is not told */
			while (read(i, buf, sizeof(buf)) > 0)
				;
			drop(path);
		}
	}
	e = eventfd(1, 0);
	if (works(e, "eventfd"))
		whole(read(e, &n, sizeof(n)), 8, "read an eventfd");
	close(i);
	close(e);
}

static void more_maps(const char *dir)
{
	char path[200], *p;
	int fd;

	p = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (works(p == MAP_FAILED ? -1 : 0, "mmap to move")) {
		char *q = mremap(p, 65536, 1 << 20, MREMAP_MAYMOVE);
		bool moved = works(q == MAP_FAILED ? -1 : 0, "mremap");
		munmap(moved ? q : p, moved ? 1 << 20 : 65536);
	}
	snprintf(path, sizeof(path), "%s/shared", dir);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	if (!works(fd, "open to share"))
		return;
	if (works(ftruncate(fd, 8192), "ftruncate")) {
		p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (works(p == MAP_FAILED ? -1 : 0, "mmap shared")) {
			strcpy(p + 4090, "both pages");
			works(msync(p, 8192, MS_SYNC), "msync");
			munmap(p, 8192);
		}
	}
	close(fd);
	drop(path);
}

/* One client of the host's is served, though some may break off. */
static void serve(void)
{
	static int l = -1;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(7000)};
	char buf[3000];
	long n = 0;

	if (l < 0) {
		l = socket(AF_INET, SOCK_STREAM, 0);
		if (works(l, "a socket to serve") &&
		    !(works(bind(l, (void *)&a, sizeof(a)), "bind") &&
			works(listen(l, 4), "listen"))) {
			close(l);
			l = -1;
		}
	}
	while (l >= 0 && n <= 0) {
		int s = accept(l, NULL, NULL);
		if (s < 0) {
			works(s, "accept a client");
			return;
		}
		n = recv(s, buf, sizeof(buf), 0);
		if (n > 0)
			n = send(s, buf, (size_t)n, MSG_NOSIGNAL);
		close(s);
	}
}

static void processes(void)
{
	char buf[4096];
	int fd = open("/proc/self/maps", O_RDONLY);

	if (works(fd, "open in /proc")) {
		works(read(fd, buf, sizeof(buf)), "read in /proc");
		close(fd);
	}
}

static void objects(void)
{
	char line[4096];
	int fd = open("/proc/toril/objects", O_RDONLY);
	ssize_t n;

	if (fd < 0) /* this, too, may have been the one */
		fd = open("/proc/toril/objects", O_RDONLY);
	n = read(fd, line, sizeof(line) - 1);
	if (n < 0)
		n = read(fd, line, sizeof(line) - 1);
	line[n < 0 ? 0 : n] = 0;
	for (char *p = strtok(line, "\n"); p; p = strtok(NULL, "\n"))
		printf("= %s\n", p);
	close(fd);
}

static void in(const char *dir)
{
	at = dir;
	files(dir);
	names(dir);
	locks(dir);
	maps(dir);
	more_maps(dir);
	watch(dir);
}

static void pass(const char *dir)
{
	in("/tmp");
	in(dir);
	at = "itself";
	threads();
	sockets();
	datagrams();
	events();
	signals();
	processes();
	serve();
}

int main(int argc, char **argv)
{
	static char out[65536];
	int failing = 0;

	if (argc != 2)
		return 2;
	setvbuf(stdout, out, _IOFBF, sizeof(out));
	for (int i = 0; i < 3 || (failures && i < 6); i++) {
		failures = 0;
		pass(argv[1]);
		failing += failures > 0;
	}
	same(failing < 2, "two passes with failures");
	objects();
	return fflush(stdout) ? 3 : wrong;
}

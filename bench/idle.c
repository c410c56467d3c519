/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An echo server on port 80 with one thread for all connections, so that what
 * an idle one costs is the system's.  Answers `m` with the free memory, as 8
 * bytes.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <unistd.h>

static int poll_fd;

static void watch(int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event))
		perror("epoll_ctl");
}

static void answer(int fd)
{
	char c;
	struct sysinfo si;
	uint64_t free_bytes;

	if (recv(fd, &c, 1, 0) != 1) {
		close(fd);
	} else if (c == 'm' && !sysinfo(&si)) {
		free_bytes = (uint64_t)si.freeram * si.mem_unit;
		send(fd, &free_bytes, sizeof(free_bytes), MSG_NOSIGNAL);
	} else {
		send(fd, &c, 1, MSG_NOSIGNAL);
	}
}

int main(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(80)};
	int listener = socket(AF_INET, SOCK_STREAM, 0), n;
	struct epoll_event events[16];
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	poll_fd = epoll_create1(0);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(listener, 1000)) {
		perror("idle");
		return 1;
	}
	watch(listener);
	while ((n = epoll_wait(poll_fd, events, 16, -1)) > 0)
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd != listener)
				answer(events[i].data.fd);
			else
				watch(accept(listener, NULL, NULL));
		}
	return 1;
}

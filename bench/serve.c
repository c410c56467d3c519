/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bench/load.c's bulk transfers talk to, on port 80, a thread for each
 * connection: a letter and a count of 8 bytes, again and again.  `s`: as many
 * bytes follow, and are answered with one; `d`: as many are to be sent.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define PART 65536

static int get_all(int fd, char *to, uint64_t n, int keep)
{
	while (n) {
		ssize_t k = recv(fd, to, n < PART ? n : PART, 0);

		if (k <= 0)
			return -1;
		n -= (uint64_t)k;
		to += keep ? k : 0;
	}
	return 0;
}

static int put_all(int fd, const char *from, uint64_t n)
{
	while (n) {
		ssize_t k = send(fd, from, n < PART ? n : PART, MSG_NOSIGNAL);

		if (k <= 0)
			return -1;
		n -= (uint64_t)k;
	}
	return 0;
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	static char buf[PART];
	struct {
		char kind;
		uint64_t count;
	} __attribute__((packed)) ask;

	while (!get_all(fd, (char *)&ask, sizeof(ask), 1)) {
		if (ask.kind == 's'
			? get_all(fd, buf, ask.count, 0) || put_all(fd, buf, 1)
			: put_all(fd, buf, ask.count))
			break;
	}
	close(fd);
	return NULL;
}

int main(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(80)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), got;
	pthread_t thread;

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 100)) {
		perror("serve");
		return 1;
	}
	while ((got = accept(fd, NULL, NULL)) >= 0)
		if (!pthread_create(
			&thread, NULL, serve, (void *)(intptr_t)got))
			pthread_detach(thread);
	return 1;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TCP echo server as in any sockets tutorial: AF_INET, one thread per
 * connection, blocking calls.  It knows nothing of Toril.
 *
 * A client that stops reading blocks only its own thread, in send().  Memory
 * is one small stack per connection, which also holds the buffer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE (16 * 1024)
#define STACK_SIZE  (BUFFER_SIZE + 48 * 1024)

static int send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

static void *echo(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char buffer[BUFFER_SIZE];
	ssize_t n;

	for (;;) {
		n = recv(fd, buffer, sizeof(buffer), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || send_all(fd, buffer, n) < 0)
			break;
	}
	close(fd);
	return NULL;
}

static int listen_on(int port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_ANY)};
	socklen_t len = sizeof(addr);
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, len) < 0 ||
	    listen(fd, SOMAXCONN) < 0 ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) < 0) {
		close(fd);
		return -1;
	}
	if (port == 0)
		fprintf(stderr, "0.0.0.0:%d\n", ntohs(addr.sin_port));
	return fd;
}

static void serve(int listener, const pthread_attr_t *attr)
{
	for (;;) {
		pthread_t thread;
		int error, fd = accept(listener, NULL, NULL);

		if (fd < 0) {
			/* One client gone early, or no descriptor left for
			 * the moment: neither is a reason to end. */
			if (errno != ECONNABORTED && errno != EINTR) {
				perror("echo: accept");
				usleep(100 * 1000);
			}
			continue;
		}
		error =
		    pthread_create(&thread, attr, echo, (void *)(intptr_t)fd);
		if (error) {
			fprintf(stderr, "echo: thread: %s\n", strerror(error));
			close(fd);
		}
	}
}

int main(int argc, char **argv)
{
	pthread_attr_t attr;
	int opt, listener, port = 7;

	while ((opt = getopt(argc, argv, "p:")) != -1) {
		if (opt != 'p') {
			fprintf(stderr, "usage: echo [-p PORT]\n");
			return 2;
		}
		port = atoi(optarg);
	}
	listener = listen_on(port);
	if (listener < 0) {
		perror("echo: listen");
		return 1;
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	serve(listener, &attr);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* dial ADDRESS PORT: connect, send a line, show the answer or the error. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int family(const char *text, int port, struct sockaddr_storage *to)
{
	struct sockaddr_in *v4 = (void *)to;
	struct sockaddr_in6 *v6 = (void *)to;

	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_port = htons(port);
		return v4->sin_family = AF_INET;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		exit(2);
	v6->sin6_port = htons(port);
	return v6->sin6_family = AF_INET6;
}

/* Connect without blocking, as event-driven clients do. */
static int dial(int s, struct sockaddr *to, socklen_t len)
{
	struct pollfd p = {.fd = s, .events = POLLOUT};
	int err = 0;
	socklen_t size = sizeof(err);

	if (connect(s, to, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	poll(&p, 1, -1);
	getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &size);
	return err;
}

int main(int argc, char **argv)
{
	struct sockaddr_storage to;
	char buf[256];
	int s, err;
	ssize_t n;

	if (argc != 3)
		return 2;
	s = socket(family(argv[1], atoi(argv[2]), &to),
	    SOCK_STREAM | SOCK_NONBLOCK, 0);
	err = dial(s, (struct sockaddr *)&to,
	    to.ss_family == AF_INET ? sizeof(struct sockaddr_in)
				    : sizeof(struct sockaddr_in6));
	if (err) {
		puts(strerror(err));
		return 1;
	}
	write(s, "hello\n", 6);
	shutdown(s, SHUT_WR);
	while (poll(&(struct pollfd){.fd = s, .events = POLLIN}, 1, -1) > 0 &&
	       (n = read(s, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, n, stdout);
	return 0;
}

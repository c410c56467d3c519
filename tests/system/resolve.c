/* SPDX-License-Identifier: BSD-2-Clause */
/* resolve NAME PORT: look NAME up, connect, send a line, show the answer. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *list, *ai;
	char buf[256];
	ssize_t n;
	int err, s = -1;

	if (argc != 3)
		return 2;
	err = getaddrinfo(argv[1], argv[2], &hints, &list);
	if (err) {
		puts(gai_strerror(err));
		return 1;
	}
	for (ai = list; ai; ai = ai->ai_next) {
		s = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
		if (!connect(s, ai->ai_addr, ai->ai_addrlen))
			break;
		err = errno;
		close(s);
	}
	freeaddrinfo(list);
	if (!ai) {
		puts(strerror(err));
		return 1;
	}
	write(s, "hello\n", 6);
	shutdown(s, SHUT_WR);
	while ((n = read(s, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, n, stdout);
	return 0;
}

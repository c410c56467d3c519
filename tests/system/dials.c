/* SPDX-License-Identifier: BSD-2-Clause */
/* dials ADDRESS PORT N: N connections at once, one after the other; says how
 * many there were when one failed and why, or that none did.  Then one ends,
 * and another must take its place. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int dial(const char *address, const char *port)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int s = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, address, &to.sin_addr);
	if (!connect(s, (struct sockaddr *)&to, sizeof(to)))
		return s;
	close(s);
	return -1;
}

int main(int argc, char **argv)
{
	int most = argc == 4 ? atoi(argv[3]) : 0, n, s = -1, first = -1;
	char c;

	for (n = 0; n < most; n++) {
		s = dial(argv[1], argv[2]);
		if (s < 0)
			break;
		if (first < 0)
			first = s;
	}
	printf("%d %s\n", n, n < most ? strerror(errno) : "all");
	if (n == most)
		return 0;
	shutdown(first, SHUT_WR);
	if (read(first, &c, 1) < 0) /* the server serves one at a time */
		return 1;
	close(first);
	for (int tries = 0; tries < 1000 && s < 0; tries++) {
		s = dial(argv[1], argv[2]);
		if (s < 0)
			usleep(10000);
	}
	puts(s < 0 ? "none after that" : "one more");
	return 0;
}

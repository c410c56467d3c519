/* SPDX-License-Identifier: BSD-2-Clause */
/* A server that tells each client its own address, and ends after COUNT. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(80)};
	socklen_t len;
	int s = socket(AF_INET, SOCK_STREAM, 0);

	if (argc != 2 || bind(s, (struct sockaddr *)&a, sizeof(a)) ||
	    listen(s, 5)) {
		perror("peer");
		return 1;
	}
	for (int i = atoi(argv[1]); i > 0; i--) {
		struct sockaddr_in p;
		int c = accept(s, NULL, NULL);
		len = sizeof(p);
		if (c < 0 || getpeername(c, (struct sockaddr *)&p, &len))
			return 1;
		dprintf(c, "%s:%d\n", inet_ntoa(p.sin_addr), ntohs(p.sin_port));
		close(c);
	}
	return 0;
}

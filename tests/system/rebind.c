/* SPDX-License-Identifier: BSD-2-Clause */
/* rebind NAME: show NAME's first address now, and again for each line that
 * standard input has. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct addrinfo hints = {
	    .ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	char text[64];
	int err;

	if (argc != 2)
		return 2;
	do {
		err = getaddrinfo(argv[1], "80", &hints, &list);
		if (err) {
			puts(gai_strerror(err));
		} else {
			struct sockaddr_in *a = (void *)list->ai_addr;

			puts(inet_ntop(
			    AF_INET, &a->sin_addr, text, sizeof(text)));
			freeaddrinfo(list);
		}
		fflush(stdout);
	} while (fgets(text, sizeof(text), stdin));
	return 0;
}

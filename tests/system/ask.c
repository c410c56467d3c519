/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask ADDRESS PORT TIMES BYTES: connect, send BYTES bytes, read to the end,
 * and say what came and how it ended: "end", "reset" or "pipe".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *ask(const struct sockaddr_in *to, size_t bytes)
{
	char question[4096], answer[4096];
	int s = socket(AF_INET, SOCK_STREAM, 0), err = 0;
	ssize_t n = 0;

	memset(question, '?', sizeof(question));
	if (connect(s, (const struct sockaddr *)to, sizeof(*to)) ||
	    write(s, question, bytes) != (ssize_t)bytes)
		err = errno;
	while (!err && (n = read(s, answer, sizeof(answer))) > 0)
		fwrite(answer, 1, (size_t)n, stdout);
	if (n < 0)
		err = errno;
	close(s);
	return !err                ? "end"
	       : err == ECONNRESET ? "reset"
	       : err == EPIPE      ? "pipe"
				   : strerror(err);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};

	if (argc != 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 ||
	    atoi(argv[4]) > 4096)
		return 2;
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	signal(SIGPIPE, SIG_IGN);
	for (int i = atoi(argv[3]); i > 0; i--)
		printf(" %s\n", ask(&to, (size_t)atoi(argv[4])));
	return 0;
}

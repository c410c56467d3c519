/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * accept() without a free descriptor: EMFILE at once, whether or not somebody
 * waits, and who waits is not lost.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../check.h"

int main(void)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	struct rlimit limit = {20, 20};
	int s = socket(AF_INET, SOCK_STREAM, 0), last = -1, fd, c;
	char byte;

	CHECK(!bind(s, (struct sockaddr *)&a, len) && !listen(s, 5));
	CHECK(!getsockname(s, (struct sockaddr *)&a, &len));
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	c = socket(AF_INET, SOCK_STREAM, 0);
	while ((fd = dup(0)) >= 0)
		last = fd;
	CHECK(errno == EMFILE && last == 19);
	CHECK_ERR(accept(s, NULL, NULL), EMFILE);
	CHECK(!connect(c, (struct sockaddr *)&a, len));
	CHECK(write(c, "x", 1) == 1);
	for (int i = 0; i < 3; i++)
		CHECK_ERR(accept(s, NULL, NULL), EMFILE);
	CHECK(!close(last));
	CHECK(accept(s, NULL, NULL) == last);
	CHECK(read(last, &byte, 1) == 1 && byte == 'x');
	CHECK(!close(last));
	/* nobody waits: the descriptor is free again */
	CHECK(!fcntl(s, F_SETFL, O_NONBLOCK));
	CHECK_ERR(accept(s, NULL, NULL), EAGAIN);
	CHECK(dup(0) == last);
	return 0;
}

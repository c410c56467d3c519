/* SPDX-License-Identifier: BSD-2-Clause */
/* A ring of threads, joined by pipes, AF_UNIX pairs and loopback TCP: what
 * goes round comes out as it went in, in order. */
#include <netinet/in.h>
#include <sys/socket.h>
#include "tests/stress/stress.h"

#define NODES 6
#define BYTES 40000

static int in[NODES], out[NODES];

static void tcp_pair(int fd[2])
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(l >= 0 && !bind(l, (void *)&a, sizeof(a)) && !listen(l, 4));
	CHECK(!getsockname(l, (void *)&a, &len));
	fd[1] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(fd[1] >= 0 && !connect(fd[1], (void *)&a, sizeof(a)));
	fd[0] = accept(l, NULL, NULL);
	CHECK(fd[0] >= 0);
	CHECK(!close(l));
}

static void link_make(int i)
{
	int fd[2];

	if (i % 3 == 0)
		CHECK(!pipe(fd));
	else if (i % 3 == 1)
		CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	else
		tcp_pair(fd);
	in[i] = fd[0];
	out[i] = fd[1];
}

/* Pass on until the end, in pieces of any size. */
static void *node(void *arg)
{
	long i = (long)arg;
	uint64_t r = stress_random_init((unsigned long)i + stress_rounds);
	char buf[3000];
	ssize_t n, done;

	for (;;) {
		n = read(in[i], buf, 1 + stress_random(&r) % sizeof(buf));
		CHECK(n >= 0);
		if (!n)
			break;
		for (done = 0; done < n;) {
			ssize_t w =
			    write(out[i + 1], buf + done, (size_t)(n - done));
			CHECK(w > 0);
			done += w;
		}
	}
	CHECK(!close(out[i + 1]));
	return NULL;
}

static void *source(void *arg)
{
	uint64_t r = stress_random_init(99 + stress_rounds);
	unsigned char buf[2500];
	size_t sent = 0;

	while (sent < BYTES) {
		size_t n = 1 + stress_random(&r) % sizeof(buf), done = 0;
		for (size_t j = 0; j < n; j++)
			buf[j] = (unsigned char)((sent + j) * 7 >> 3);
		while (done < n) {
			ssize_t w = write(out[0], buf + done, n - done);
			CHECK(w > 0);
			done += (size_t)w;
		}
		sent += n;
	}
	CHECK(!close(out[0]));
	return arg;
}

static void round_(unsigned long n)
{
	pthread_t t[NODES];
	unsigned char buf[4096];
	size_t got = 0;
	ssize_t r;

	(void)n;
	for (int i = 0; i < NODES; i++)
		link_make(i);
	t[0] = stress_thread(source, 0);
	for (long i = 0; i + 1 < NODES; i++)
		t[i + 1] = stress_thread(node, i);
	while ((r = read(in[NODES - 1], buf, sizeof(buf))) > 0) {
		for (ssize_t j = 0; j < r; j++)
			CHECK(buf[j] ==
			      (unsigned char)((got + (size_t)j) * 7 >> 3));
		got += (size_t)r;
	}
	CHECK(r == 0 && got >= BYTES);
	for (int i = 0; i < NODES; i++)
		CHECK(!pthread_join(t[i], NULL));
	for (int i = 0; i < NODES; i++)
		CHECK(!close(in[i]));
}

int main(int argc, char **argv)
{
	return stress_main(argc, argv, round_);
}

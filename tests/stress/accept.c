/* SPDX-License-Identifier: BSD-2-Clause */
/* Clients connect while several threads accept, on loopback TCP and AF_UNIX:
 * each client gets its own bytes back, and listeners may go at any time. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "tests/stress/stress.h"

#define SERVERS 2
#define CLIENTS 3
#define CALLS   12

static int listener[2];
static struct sockaddr_in tcp;
static struct sockaddr_un un;
static socklen_t un_len;

static void listen_both(void)
{
	socklen_t len = sizeof(tcp);

	tcp = (struct sockaddr_in){.sin_family = AF_INET};
	tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!bind(listener[0], (void *)&tcp, sizeof(tcp)));
	CHECK(!getsockname(listener[0], (void *)&tcp, &len));
	CHECK(!listen(listener[0], 64));
	un = (struct sockaddr_un){.sun_family = AF_UNIX};
	un_len = (socklen_t)(2 + 1 +
			     sprintf(un.sun_path + 1, "stress.%d.%lu", getpid(),
				 stress_rounds));
	listener[1] = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!bind(listener[1], (void *)&un, un_len));
	CHECK(!listen(listener[1], 2));
}

static void *server(void *arg)
{
	int l = listener[(long)arg & 1], fd;
	char buf[256];
	ssize_t n;

	while ((fd = accept(l, NULL, NULL)) >= 0) {
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			CHECK(write(fd, buf, (size_t)n) == n);
		CHECK(n == 0);
		CHECK(!close(fd));
	}
	CHECK(errno == EINVAL); /* shut down */
	return NULL;
}

static void call(int kind, uint64_t *r)
{
	unsigned char out[100], in[100];
	size_t n = 1 + stress_random(r) % sizeof(out), got = 0;
	int fd = socket(kind ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
	ssize_t k;

	CHECK(fd >= 0);
	CHECK(!(kind ? connect(fd, (void *)&un, un_len)
		     : connect(fd, (void *)&tcp, sizeof(tcp))));
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)stress_random(r);
	CHECK(write(fd, out, n) == (ssize_t)n);
	CHECK(!shutdown(fd, SHUT_WR));
	while ((k = read(fd, in + got, sizeof(in) - got)) > 0)
		got += (size_t)k;
	CHECK(k == 0 && got == n && !memcmp(in, out, n));
	CHECK(!close(fd));
}

static void *client(void *arg)
{
	uint64_t r = stress_random_init((unsigned long)arg + stress_rounds);

	for (int i = 0; i < CALLS; i++)
		call((int)(stress_random(&r) & 1), &r);
	return NULL;
}

/* Calls a listener that is about to go: any end is right but a hang. */
static void *late(void *arg)
{
	char c = 0;

	for (int i = 0; i < CALLS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(fd >= 0);
		if (!connect(fd, (void *)&tcp, sizeof(tcp))) {
			(void)!write(fd, &c, 1);
			CHECK(!shutdown(fd, SHUT_WR) || errno == ENOTCONN);
			(void)!read(fd, &c, 1);
		} else {
			CHECK(errno == ECONNREFUSED || errno == ECONNRESET);
		}
		CHECK(!close(fd));
	}
	return arg;
}

static void round_(unsigned long n)
{
	pthread_t s[2 * SERVERS], c[CLIENTS], l;

	(void)n;
	listen_both();
	for (long i = 0; i < 2 * SERVERS; i++)
		s[i] = stress_thread(server, i);
	for (long i = 0; i < CLIENTS; i++)
		c[i] = stress_thread(client, i);
	for (int i = 0; i < CLIENTS; i++)
		CHECK(!pthread_join(c[i], NULL));
	l = stress_thread(late, 0);
	sched_yield();
	for (int i = 0; i < 2; i++)
		CHECK(!shutdown(listener[i], SHUT_RDWR));
	for (int i = 0; i < 2 * SERVERS; i++)
		CHECK(!pthread_join(s[i], NULL));
	for (int i = 0; i < 2; i++)
		CHECK(!close(listener[i]));
	CHECK(!pthread_join(l, NULL));
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	return stress_main(argc, argv, round_);
}

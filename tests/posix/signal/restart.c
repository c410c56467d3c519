/* SPDX-License-Identifier: BSD-2-Clause */
/* A signal during read: EINTR, or restart with SA_RESTART. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include "tests/posix/check.h"

static int pipes[2];
static volatile sig_atomic_t got;
static pthread_t reader;

static void count(int sig)
{
	(void)sig;
	got++;
}

/* Signal the reader until it has taken `n`, then let it read a byte. */
static void *poke(void *arg)
{
	long n = (long)arg;

	while (got < n) {
		CHECK(!pthread_kill(reader, SIGUSR1));
		usleep(2000);
	}
	usleep(10000);
	CHECK(write(pipes[1], "x", 1) == 1);
	return NULL;
}

int main(void)
{
	struct sigaction act = {.sa_handler = count};
	pthread_t t;
	ssize_t n;
	char c;

	reader = pthread_self();
	CHECK(!pipe(pipes) && !sigaction(SIGUSR1, &act, NULL));
	CHECK(!pthread_create(&t, NULL, poke, (void *)1));
	n = read(pipes[0], &c, 1);
	CHECK((n == -1 && errno == EINTR) || (n == 1 && got));
	if (n == -1)
		while (read(pipes[0], &c, 1) != 1)
			CHECK(errno == EINTR);
	CHECK(!pthread_join(t, NULL));
	act.sa_flags = SA_RESTART;
	got = 0;
	CHECK(!sigaction(SIGUSR1, &act, NULL));
	CHECK(!pthread_create(&t, NULL, poke, (void *)5));
	CHECK(read(pipes[0], &c, 1) == 1 && c == 'x');
	CHECK(!pthread_join(t, NULL));
	CHECK(got >= 5);
	return 0;
}

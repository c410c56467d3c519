/* SPDX-License-Identifier: BSD-2-Clause */
/* A signal reaches a thread that only spins, with its registers kept. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include "tests/posix/check.h"

static volatile sig_atomic_t got;
static pthread_t spinner;

static void count(int sig)
{
	volatile double x = 1.5;

	(void)sig;
	for (int i = 0; i < 100; i++)
		x = x * 1.25 + i; /* disturb the vector registers */
	got++;
}

static void *poke(void *arg)
{
	while (got < 50) {
		CHECK(!pthread_kill(spinner, SIGUSR1));
		usleep(500);
	}
	return arg;
}

int main(void)
{
	struct sigaction act = {.sa_handler = count};
	double a = 1, b = 2, c = 3;
	long i = 0, j = 7, rounds = 0;
	pthread_t t;

	spinner = pthread_self();
	CHECK(!sigaction(SIGUSR1, &act, NULL));
	CHECK(!pthread_create(&t, NULL, poke, NULL));
	while (got < 50) {
		for (int k = 0; k < 1000; k++) {
			i++, j += 3;
			a += 1, b += 2, c += 3;
		}
		rounds++;
		CHECK(i == rounds * 1000 && j == 7 + rounds * 3000);
		CHECK(a == 1 + (double)i && b == 2 + 2 * (double)i);
		CHECK(c == 3 + 3 * (double)i);
	}
	CHECK(!pthread_join(t, NULL));
	return 0;
}

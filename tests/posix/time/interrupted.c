/* SPDX-License-Identifier: BSD-2-Clause */
/* A signal ends nanosleep, which says how much was left. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

static volatile sig_atomic_t got;
static atomic_bool awake;
static pthread_t sleeper;

static void count(int sig)
{
	(void)sig;
	got++;
}

static void *poke(void *arg)
{
	while (!awake) { /* the first may come before the sleep */
		usleep(5000);
		CHECK(!pthread_kill(sleeper, SIGUSR1));
	}
	return arg;
}

int main(void)
{
	struct timespec t = {1000, 0}, rest = {0, 0};
	pthread_t thread;

	sleeper = pthread_self();
	CHECK(signal(SIGUSR1, count) == SIG_DFL);
	CHECK(!pthread_create(&thread, NULL, poke, NULL));
	CHECK_ERR(nanosleep(&t, &rest), EINTR);
	awake = true;
	/* Linux adds its timer's slack. */
	CHECK(rest.tv_sec > 100 && rest.tv_sec <= 1000);
	CHECK(got);
	CHECK(!pthread_join(thread, NULL));
	return 0;
}

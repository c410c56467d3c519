/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads, a signal with a handler, calls that are leaves, and a death. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static volatile int seen;

static void handler(int signo)
{
	seen = signo;
}

static void *thread(void *arg)
{
	close(77);
	return arg;
}

int main(void)
{
	pthread_t t;

	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	getpid();
	getppid();
	getpgid(99);
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
	signal(SIGTERM, SIG_DFL);
	raise(seen == SIGUSR1 ? SIGTERM : SIGKILL);
	return 0;
}

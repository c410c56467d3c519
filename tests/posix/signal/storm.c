/* SPDX-License-Identifier: BSD-2-Clause */
/* An interval timer, threads that come and go and signals of their own: all
 * at once, for a fixed number of rounds. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>
#include "tests/posix/check.h"

#define THREADS 8
#define ROUNDS  2000

static volatile sig_atomic_t alarms;
static int pipes[THREADS][2];

static void on_signal(int signo)
{
	alarms += signo == SIGALRM;
}

static void *brief(void *arg)
{
	return arg;
}

static void round_of(long id, unsigned n)
{
	char out[64], in[64], *page;
	pthread_t t;
	void *result;

	if (n % 4 == 0) {
		CHECK(!pthread_create(&t, NULL, brief, (void *)id));
		CHECK(!pthread_join(t, &result));
		CHECK(result == (void *)id);
	}
	memset(out, (int)id, sizeof(out));
	CHECK(write(pipes[id][1], out, sizeof(out)) == sizeof(out));
	CHECK(read(pipes[id][0], in, sizeof(in)) == sizeof(in));
	CHECK(!memcmp(in, out, sizeof(in)));
	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	page[0] = page[4096] = (char)id;
	CHECK(!munmap(page, 8192));
	CHECK(!pthread_kill(pthread_self(), SIGUSR1));
}

static void *worker(void *arg)
{
	for (unsigned n = 0; n < ROUNDS; n++)
		round_of((long)arg, n);
	return NULL;
}

int main(void)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct itimerval every = {{0, 500}, {0, 500}}, off = {{0, 0}, {0, 0}};
	pthread_t t[THREADS];

	CHECK(!sigaction(SIGALRM, &sa, NULL));
	CHECK(!sigaction(SIGUSR1, &sa, NULL));
	CHECK(!setitimer(ITIMER_REAL, &every, NULL));
	for (long i = 0; i < THREADS; i++) {
		CHECK(!pipe(pipes[i]));
		CHECK(!pthread_create(&t[i], NULL, worker, (void *)i));
	}
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(t[i], NULL));
	while (!alarms)
		pause();
	CHECK(!setitimer(ITIMER_REAL, &off, NULL));
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals at every moment: none that is queued is lost, each interrupted call
 * either does its work or says EINTR, registers survive. */
#include <poll.h>
#include "tests/stress/stress.h"

#define THREADS 4
#define SENT    150

static atomic_ulong got_rt, got_usr;
static atomic_int running;
static pthread_t workers[THREADS];

static void on_rt(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	CHECK(info->si_code == SI_QUEUE);
	CHECK(info->si_value.sival_int == 4711);
	got_rt++;
}

static void on_usr(int signo)
{
	(void)signo;
	got_usr++;
}

/* Values in registers, vector ones too, must outlive a handler. */
static void compute(uint64_t *r)
{
	double a = stress_random(r) % 1000, b = a;
	uint64_t x = 1, y = 1;

	for (int i = 0; i < 2000; i++) {
		a = a * 1.0000001 + 1;
		b = b * 1.0000001 + 1;
		x = x * 31 + (uint64_t)i;
		y = y * 31 + (uint64_t)i;
	}
	CHECK(a == b && x == y);
}

static void *worker(void *arg)
{
	uint64_t r = stress_random_init((unsigned long)arg + stress_rounds);
	struct timespec t = {0, 20000};
	int fd[2], n;
	char c = 0;

	CHECK(!pipe(fd));
	running++;
	while (running > 0) {
		compute(&r);
		n = nanosleep(&t, NULL);
		CHECK(!n || errno == EINTR);
		n = poll(&(struct pollfd){fd[0], POLLIN, 0}, 1, 1);
		CHECK(n == 0 || errno == EINTR);
		CHECK(write(fd[1], &c, 1) == 1);
		CHECK(read(fd[0], &c, 1) == 1);
	}
	CHECK(!close(fd[0]) && !close(fd[1]));
	return NULL;
}

static void *sender(void *arg)
{
	uint64_t r = stress_random_init((unsigned long)arg + 50);
	union sigval v = {.sival_int = 4711};

	for (int i = 0; i < SENT; i++) {
		while (sigqueue(getpid(), SIGRTMIN + (int)(r & 1), v)) {
			CHECK(errno == EAGAIN);
			sched_yield();
		}
		CHECK(!pthread_kill(
		    workers[stress_random(&r) % THREADS], SIGUSR1));
		if (i % 8 == 0)
			CHECK(!kill(getpid(), SIGUSR2));
	}
	return NULL;
}

static void round_(unsigned long n)
{
	pthread_t s[2];

	(void)n;
	got_rt = got_usr = 0;
	running = 0;
	for (long i = 0; i < THREADS; i++)
		workers[i] = stress_thread(worker, i);
	while (running < THREADS)
		sched_yield();
	for (long i = 0; i < 2; i++)
		s[i] = stress_thread(sender, i);
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_join(s[i], NULL));
	while (got_rt < 2 * SENT || !got_usr)
		sched_yield();
	running = -1000;
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(workers[i], NULL));
	CHECK(got_rt == 2 * SENT);
}

int main(int argc, char **argv)
{
	struct sigaction rt = {.sa_sigaction = on_rt, .sa_flags = SA_SIGINFO};
	struct sigaction usr = {.sa_handler = on_usr, .sa_flags = SA_RESTART};

	rt.sa_flags |= SA_RESTART;
	CHECK(!sigaction(SIGRTMIN, &rt, NULL));
	CHECK(!sigaction(SIGRTMIN + 1, &rt, NULL));
	CHECK(!sigaction(SIGUSR1, &usr, NULL));
	CHECK(!sigaction(SIGUSR2, &usr, NULL));
	return stress_main(argc, argv, round_);
}

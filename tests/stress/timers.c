/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers by the thousand: timerfds, POSIX timers, sleeps; set, changed and
 * deleted on all CPUs.  None is early, none that is left alone stays away. */
#include <poll.h>
#include <sys/timerfd.h>
#include "tests/stress/stress.h"

#define THREADS 4
#define FDS     150
#define TIMERS  20

static atomic_ulong fired;

static void on_timer(int signo)
{
	(void)signo;
	fired++;
}

static struct itimerspec after(long ns)
{
	return (struct itimerspec){.it_value = {0, ns}};
}

static void fds(uint64_t *r)
{
	struct pollfd p[FDS];
	double start = stress_now();
	int left = 0;

	for (int i = 0; i < FDS; i++) {
		struct itimerspec t =
		    after(1 + (long)(stress_random(r) % 3000000));
		p[i].fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
		p[i].events = POLLIN;
		CHECK(p[i].fd >= 0);
		CHECK(!timerfd_settime(p[i].fd, 0, &t, NULL));
		if (stress_random(r) % 3 == 0) {
			t = after(4000000);
			CHECK(!timerfd_settime(p[i].fd, 0, &t, NULL));
		}
		left++;
	}
	while (left) {
		CHECK(poll(p, FDS, -1) > 0 || errno == EINTR);
		for (int i = 0; i < FDS; i++) {
			uint64_t n;
			if (p[i].fd < 0 || !(p[i].revents & POLLIN))
				continue;
			CHECK(read(p[i].fd, &n, sizeof(n)) == sizeof(n));
			CHECK(n == 1);
			CHECK(!close(p[i].fd));
			p[i].fd = -1;
			left--;
		}
	}
	CHECK(stress_now() - start >= 0);
}

static void signals(uint64_t *r)
{
	struct sigevent e = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	timer_t t[TIMERS];

	for (int i = 0; i < TIMERS; i++) {
		struct itimerspec s =
		    after(1 + (long)(stress_random(r) % 500000));
		s.it_interval.tv_nsec = 1000000;
		CHECK(!timer_create(CLOCK_MONOTONIC, &e, &t[i]));
		CHECK(!timer_settime(t[i], 0, &s, NULL));
	}
	for (int i = 0; i < TIMERS; i++)
		CHECK(!timer_delete(t[i]));
}

static void sleeps(uint64_t *r)
{
	for (int i = 0; i < 20; i++) {
		long ns = (long)(stress_random(r) % 200000);
		struct timespec t = {0, ns}, left = t;
		double start = stress_now();
		while (nanosleep(&left, &left))
			CHECK(errno == EINTR);
		CHECK(stress_now() - start >= (double)ns / 1e9 - 1e-6);
	}
}

static void *worker(void *arg)
{
	uint64_t r = stress_random_init((unsigned long)arg + stress_rounds);

	fds(&r);
	signals(&r);
	sleeps(&r);
	return NULL;
}

static void round_(unsigned long n)
{
	struct itimerspec s = after(1);
	struct sigevent e = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
	pthread_t t[THREADS];
	unsigned long before;
	timer_t last;

	for (long i = 0; i < THREADS; i++)
		t[i] = stress_thread(worker, i + (long)n);
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(t[i], NULL));
	before = fired;
	CHECK(!timer_create(CLOCK_MONOTONIC, &e, &last));
	CHECK(!timer_settime(last, 0, &s, NULL));
	while (fired == before)
		usleep(1000);
	CHECK(!timer_delete(last));
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_timer, .sa_flags = SA_RESTART};

	CHECK(!sigaction(SIGALRM, &sa, NULL));
	return stress_main(argc, argv, round_);
}

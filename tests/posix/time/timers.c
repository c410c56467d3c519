/* SPDX-License-Identifier: BSD-2-Clause */
/* timer_create on several clocks: signals, threads, overruns, settings. */
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include "tests/posix/check.h"

#define MSEC 1000000l

static volatile sig_atomic_t ticks, code, value;

static void on_tick(int signo, siginfo_t *info, void *context)
{
	(void)signo, (void)context;
	ticks++;
	code = info->si_code;
	value = info->si_value.sival_int;
}

static struct itimerspec every(long ms, long interval_ms)
{
	return (struct itimerspec){.it_value = {ms / 1000, ms % 1000 * MSEC},
	    .it_interval = {interval_ms / 1000, interval_ms % 1000 * MSEC}};
}

static void spin(void)
{
	static volatile unsigned work;

	for (unsigned i = 0; i < 100000; i++)
		work += i;
}

static void periodic(clockid_t clock)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL,
	    .sigev_signo = SIGRTMIN + 1,
	    .sigev_value.sival_int = 77};
	struct itimerspec its = every(5, 5), left;
	timer_t t;

	ticks = 0;
	CHECK(!timer_create(clock, &e, &t));
	CHECK(!timer_gettime(t, &left));
	CHECK(!left.it_value.tv_sec && !left.it_value.tv_nsec);
	CHECK(!timer_settime(t, 0, &its, NULL));
	while (ticks < 3)
		spin();
	CHECK(code == SI_TIMER && value == 77);
	CHECK(!timer_gettime(t, &left));
	CHECK(left.it_interval.tv_nsec == 5 * MSEC);
	its = every(0, 0);
	CHECK(!timer_settime(t, 0, &its, &left));
	CHECK(left.it_interval.tv_nsec == 5 * MSEC);
	CHECK(!timer_delete(t));
	CHECK(timer_delete(t)); /* musl gives -EINVAL itself */
}

/* While the signal is blocked, further expirations are overruns. */
static void overrun(void)
{
	struct sigevent e = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	struct itimerspec its = every(1, 1);
	struct timespec wait = {0, 50 * MSEC};
	siginfo_t info;
	sigset_t set;
	timer_t t;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(!timer_create(CLOCK_MONOTONIC, &e, &t));
	CHECK(!timer_settime(t, 0, &its, NULL));
	nanosleep(&wait, NULL);
	its = every(0, 0);
	CHECK(sigwaitinfo(&set, &info) == SIGRTMIN);
	CHECK(info.si_code == SI_TIMER);
	CHECK(timer_getoverrun(t) >= 10);
	CHECK(!timer_settime(t, 0, &its, NULL));
	CHECK(!timer_delete(t));
}

static pthread_barrier_t barrier;

static void on_thread(union sigval v)
{
	CHECK(v.sival_int == 5);
	pthread_barrier_wait(&barrier);
}

static void in_thread(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_THREAD,
	    .sigev_value.sival_int = 5,
	    .sigev_notify_function = on_thread};
	struct itimerspec its = every(3, 0);
	timer_t t;

	pthread_barrier_init(&barrier, NULL, 2);
	CHECK(!timer_create(CLOCK_REALTIME, &e, &t));
	CHECK(!timer_settime(t, 0, &its, NULL));
	pthread_barrier_wait(&barrier);
	CHECK(!timer_delete(t));
}

static void absolute_and_wrong(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_NONE};
	struct itimerspec its = {.it_value = {1, 0}};
	timer_t t;

	CHECK(!timer_create(CLOCK_REALTIME, NULL, &t));
	signal(SIGALRM, SIG_IGN);
	CHECK(!timer_settime(t, TIMER_ABSTIME, &its, NULL));
	its.it_value.tv_nsec = 1000000000;
	CHECK_ERR(timer_settime(t, 0, &its, NULL), EINVAL);
	its.it_value.tv_nsec = -1;
	CHECK_ERR(timer_settime(t, 0, &its, NULL), EINVAL);
	CHECK(!timer_delete(t));
	CHECK_ERR(timer_create(99, &e, &t), EINVAL);
	CHECK_ERR(timer_create(CLOCK_MONOTONIC_RAW, &e, &t), EOPNOTSUPP);
	e.sigev_notify = SIGEV_SIGNAL;
	e.sigev_signo = 99;
	CHECK_ERR(timer_create(CLOCK_REALTIME, &e, &t), EINVAL);
	CHECK(syscall(SYS_timer_getoverrun, 12345) == -1 && errno == EINVAL);
}

/* Too fast to be served each time: the rest are overruns.  Waited for, since
 * a handler for each would leave time for nothing else. */
static void fastest(void)
{
	struct sigevent e = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2};
	struct itimerspec its = {{0, 1}, {0, 1}};
	sigset_t set;
	timer_t t;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(!timer_create(CLOCK_MONOTONIC, &e, &t));
	CHECK(!timer_settime(t, 0, &its, NULL));
	for (int i = 0; i < 3; i++)
		CHECK(!sigwait(&set, &signo));
	CHECK(!timer_delete(t));
}

/* What a deleted timer has sent is no longer to be taken, and doesn't count as
 * the next timer's, though that may get the same id. */
static void deleted(void)
{
	struct sigevent e = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3};
	struct itimerspec its = every(1, 0);
	struct timespec none = {0, 0};
	sigset_t set, pending;
	timer_t t;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(!timer_create(CLOCK_MONOTONIC, &e, &t));
	CHECK(!timer_settime(t, 0, &its, NULL));
	do
		CHECK(!sigpending(&pending));
	while (!sigismember(&pending, SIGRTMIN + 3));
	CHECK(!timer_delete(t));
	e.sigev_signo = SIGRTMIN + 4;
	sigaddset(&set, SIGRTMIN + 4);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(!timer_create(CLOCK_MONOTONIC, &e, &t));
	CHECK(!timer_settime(t, 0, &its, NULL));
	sigdelset(&set, SIGRTMIN + 3);
	CHECK(!sigwait(&set, &signo) && signo == SIGRTMIN + 4);
	CHECK(!timer_delete(t));
	/* Linux before 6.13 would still deliver it. */
	sigaddset(&set, SIGRTMIN + 3);
	signo = sigtimedwait(&set, NULL, &none);
	CHECK(signo == SIGRTMIN + 3 || (signo == -1 && errno == EAGAIN));
}

static volatile sig_atomic_t cpu_alarms;

static void on_cpu(int signo)
{
	cpu_alarms += signo == SIGPROF || signo == SIGVTALRM;
}

static void cpu_interval(int which, int signo)
{
	struct itimerval v = {{0, 5000}, {0, 5000}}, old;

	cpu_alarms = 0;
	signal(signo, on_cpu);
	CHECK(!setitimer(which, &v, NULL));
	while (cpu_alarms < 3)
		spin();
	v = (struct itimerval){{0, 0}, {0, 0}};
	CHECK(!setitimer(which, &v, &old));
	CHECK(old.it_interval.tv_usec == 5000);
	CHECK(!getitimer(which, &old));
	CHECK(!old.it_value.tv_sec && !old.it_value.tv_usec);
}

int main(void)
{
	struct sigaction sa = {
	    .sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART};
	clockid_t own;

	CHECK(!sigaction(SIGRTMIN + 1, &sa, NULL));
	periodic(CLOCK_REALTIME);
	periodic(CLOCK_MONOTONIC);
	periodic(CLOCK_BOOTTIME);
	periodic(CLOCK_PROCESS_CPUTIME_ID);
	periodic(CLOCK_THREAD_CPUTIME_ID);
	CHECK(!pthread_getcpuclockid(pthread_self(), &own));
	periodic(own);
	CHECK(!clock_getcpuclockid(0, &own));
	periodic(own);
	fastest();
	deleted();
	overrun();
	in_thread();
	absolute_and_wrong();
	cpu_interval(ITIMER_PROF, SIGPROF);
	cpu_interval(ITIMER_VIRTUAL, SIGVTALRM);
	CHECK(alarm(100) == 0);
	CHECK(alarm(0) == 100);
	return 0;
}

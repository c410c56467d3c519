/* SPDX-License-Identifier: BSD-2-Clause */
/* mmap, munmap, mprotect, madvise and mremap on all CPUs while others touch
 * pages: what a thread wrote must be there, what is unmapped must fault. */
#include <setjmp.h>
#include <sys/mman.h>
#include "tests/stress/stress.h"

#define THREADS 4
#define LOOPS   60
#define PAGE    4096ul
#define PAGES   16ul

static _Thread_local sigjmp_buf env;
static _Thread_local volatile int expected;

static void on_fault(int signo)
{
	if (!expected)
		stress_fail(__FILE__, __LINE__, "a fault nobody expected");
	siglongjmp(env, signo);
}

static void must_fault(volatile char *p, int write)
{
	if (!sigsetjmp(env, 1)) {
		expected = 1;
		if (write)
			*p = 1;
		else
			(void)*p;
		expected = 0;
		stress_fail(__FILE__, __LINE__, "no fault");
	}
	expected = 0;
}

static void fill(char *p, size_t pages, char v)
{
	for (size_t i = 0; i < pages; i++)
		memset(p + i * PAGE, v + (int)i, 64);
}

static void verify(const char *p, size_t pages, char v)
{
	for (size_t i = 0; i < pages; i++)
		for (int j = 0; j < 64; j += 21)
			CHECK(p[i * PAGE + (size_t)j] == (char)(v + (int)i));
}

static char *map(size_t pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static void one(uint64_t *r)
{
	char v = (char)stress_random(r);
	size_t n = 2 + stress_random(r) % (PAGES - 2), cut;
	char *p = map(n), *q;

	CHECK(!p[0] && !p[(n - 1) * PAGE]);
	fill(p, n, v);
	CHECK(!mprotect(p, n * PAGE, PROT_READ));
	verify(p, n, v);
	if (stress_random(r) % 4 == 0)
		must_fault(p + PAGE, 1);
	CHECK(!mprotect(p, n * PAGE, PROT_READ | PROT_WRITE));
	fill(p, n, (char)(v + 1));
	cut = 1 + stress_random(r) % (n - 1);
	CHECK(!munmap(p + cut * PAGE, (n - cut) * PAGE));
	verify(p, cut, (char)(v + 1));
	q = mremap(p, cut * PAGE, (cut + 8) * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	verify(q, cut, (char)(v + 1));
	CHECK(!q[cut * PAGE]);
	CHECK(!madvise(q, PAGE, MADV_DONTNEED));
	CHECK(!q[0]);
	CHECK(!munmap(q, (cut + 8) * PAGE));
	p = malloc(n * 1000);
	memset(p, v, n * 1000);
	CHECK(p[n * 1000 - 1] == v);
	free(p);
}

/* A page that all CPUs have in their TLB is taken away from all. */
static char *volatile shared;
static atomic_int readers, stop;

static void *reader(void *arg)
{
	if (!sigsetjmp(env, 1)) {
		expected = 1;
		readers++;
		while (!stop)
			CHECK(*(volatile char *)shared == 42);
		stress_fail(__FILE__, __LINE__, "still readable");
	}
	expected = 0;
	return arg;
}

static void shoot(void)
{
	pthread_t t[THREADS];
	char *p = map(1);

	*p = 42;
	shared = p;
	readers = stop = 0;
	for (long i = 0; i < THREADS; i++)
		t[i] = stress_thread(reader, i);
	while (readers < THREADS)
		sched_yield();
	CHECK(!mprotect(p, PAGE, PROT_NONE));
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(t[i], NULL));
	CHECK(!munmap(p, PAGE));
}

static void *worker(void *arg)
{
	uint64_t r = stress_random_init((unsigned long)arg + stress_rounds);

	for (int i = 0; i < LOOPS; i++)
		one(&r);
	return NULL;
}

static void round_(unsigned long n)
{
	pthread_t t[THREADS];

	for (long i = 0; i < THREADS; i++)
		t[i] = stress_thread(worker, i + (long)n);
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(t[i], NULL));
	shoot();
}

int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_handler = on_fault};

	CHECK(!sigaction(SIGSEGV, &sa, NULL));
	CHECK(!sigaction(SIGBUS, &sa, NULL));
	return stress_main(argc, argv, round_);
}

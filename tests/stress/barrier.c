/* SPDX-License-Identifier: BSD-2-Clause */
/* membarrier(2): one side pays for both.  Each writes its own word and reads
 * the other's; the fast side with a compiler barrier only.  Not both may have
 * missed the other. */
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include "tests/stress/stress.h"

#define TURNS 300

static volatile int x, y, saw_x, saw_y;
static atomic_int here;

static void meet(int n)
{
	here++;
	while (here < n)
		sched_yield();
}

static void *fast(void *arg)
{
	for (int i = 0; i < TURNS; i++) {
		meet(4 * i + 2);
		x = 1;
		__asm__ volatile("" : : : "memory");
		saw_y = y;
		meet(4 * i + 4);
	}
	return arg;
}

static void *slow(void *arg)
{
	for (int i = 0; i < TURNS; i++) {
		x = y = 0;
		meet(4 * i + 2);
		y = 1;
		CHECK(!syscall(
		    SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
		saw_x = x;
		meet(4 * i + 4);
		CHECK(saw_x || saw_y);
	}
	return arg;
}

static void round_(unsigned long n)
{
	pthread_t t[2];

	(void)n;
	here = 0;
	t[0] = stress_thread(fast, 0);
	t[1] = stress_thread(slow, 0);
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_join(t[i], NULL));
}

int main(int argc, char **argv)
{
	CHECK(!syscall(
	    SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0));
	return stress_main(argc, argv, round_);
}

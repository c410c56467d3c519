/* SPDX-License-Identifier: BSD-2-Clause */
/* Leaf functions may use 128 bytes below their stack pointer, whatever
 * interrupts and signals come. */
#include <signal.h>
#include <sys/time.h>
#include "tests/posix/check.h"

static volatile sig_atomic_t got;

static void count(int sig)
{
	char here[200];

	memset(here, sig, sizeof(here));
	got += here[100] == sig;
}

static __attribute__((noinline)) long leaf(long v, long turns)
{
	long out;

	__asm__ volatile("mov %[v], -8(%%rsp)\n\t"
			 "mov %[v], -128(%%rsp)\n\t"
			 "1: dec %[n]\n\t"
			 "jnz 1b\n\t"
			 "mov -8(%%rsp), %[o]\n\t"
			 "sub -128(%%rsp), %[o]\n\t"
			 "add %[v], %[o]\n\t"
			 : [n] "+r"(turns), [o] "=&r"(out)
			 : [v] "r"(v)
			 : "memory", "cc");
	return out;
}

int main(void)
{
	struct itimerval it = {{0, 1000}, {0, 1000}};
	long i = 0;

	CHECK(signal(SIGALRM, count) == SIG_DFL);
	CHECK(!setitimer(ITIMER_REAL, &it, NULL));
	while (got < 50) {
		i++;
		CHECK(leaf(i, 10000) == i);
	}
	return 0;
}

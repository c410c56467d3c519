/* SPDX-License-Identifier: BSD-2-Clause */
/* SSE, AVX and x87 registers survive pre-emption by threads that use them
 * with other contents. */
#include <pthread.h>
#include <time.h>
#include "tests/posix/check.h"

#define THREADS 4

static long elapsed_ms(const struct timespec *from)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (t.tv_sec - from->tv_sec) * 1000 +
	       (t.tv_nsec - from->tv_nsec) / 1000000;
}

/* All registers get one value, spin without a call, and are compared. */
static __attribute__((noinline)) int sse_kept(unsigned long v, long turns)
{
	unsigned long out[4];

	__asm__ volatile("movq %[v], %%xmm0\n\t"
			 "punpcklqdq %%xmm0, %%xmm0\n\t"
			 "movdqa %%xmm0, %%xmm7\n\t"
			 "movdqa %%xmm0, %%xmm15\n\t"
			 "1: dec %[n]\n\t"
			 "jnz 1b\n\t"
			 "movdqu %%xmm7, %[o0]\n\t"
			 "movdqu %%xmm15, %[o1]\n\t"
			 : [n] "+r"(turns), [o0] "=m"(*(char(*)[16])out),
			 [o1] "=m"(*(char(*)[16])(out + 2))
			 : [v] "r"(v)
			 : "xmm0", "xmm7", "xmm15", "cc");
	return out[0] == v && out[1] == v && out[2] == v && out[3] == v;
}

static __attribute__((noinline, target("avx2"))) int avx_kept(
    unsigned long v, long turns)
{
	unsigned long out[4];

	__asm__ volatile("vmovq %[v], %%xmm3\n\t"
			 "vpbroadcastq %%xmm3, %%ymm12\n\t"
			 "1: dec %[n]\n\t"
			 "jnz 1b\n\t"
			 "vmovdqu %%ymm12, %[o]\n\t"
			 "vzeroupper\n\t"
			 : [n] "+r"(turns), [o] "=m"(*(char(*)[32])out)
			 : [v] "r"(v)
			 : "xmm3", "xmm12", "cc");
	return out[0] == v && out[1] == v && out[2] == v && out[3] == v;
}

static void *work(void *arg)
{
	unsigned long me = (unsigned long)arg;
	long double x87 = (long double)me + 0.5L;
	struct timespec start;
	int avx = __builtin_cpu_supports("avx2");
	unsigned mxcsr = 0x1f80 | (unsigned)(me & 3) << 13, seen;

	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (unsigned long i = 1; elapsed_ms(&start) < 300; i++) {
		unsigned long v = me << 56 | i;
		CHECK(sse_kept(v, 100000));
		if (avx)
			CHECK(avx_kept(~v, 100000));
		x87 += 1;
		CHECK(x87 == (long double)me + 0.5L + (long double)i);
		__asm__ volatile("stmxcsr %0" : "=m"(seen));
		CHECK((seen & 0x6000) == (mxcsr & 0x6000));
	}
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];

	__builtin_cpu_init();
	for (unsigned long i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&t[i], NULL, work, (void *)(i + 1)));
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(t[i], NULL));
	return 0;
}

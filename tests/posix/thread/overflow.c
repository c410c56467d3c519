/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread's stack has a guard. expect: signal 11 */
#include <pthread.h>
#include <string.h>

static volatile int depth;

static __attribute__((noinline)) int dive(const char *from)
{
	char here[500];

	memset(here, from[0] + depth++, sizeof(here));
	return dive(here) + here[depth % 500];
}

static void *work(void *arg)
{
	return (void *)(long)dive(arg);
}

int main(void)
{
	pthread_t t;

	pthread_create(&t, 0, work, "a");
	pthread_join(t, 0);
	return 0;
}

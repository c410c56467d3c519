/* SPDX-License-Identifier: BSD-2-Clause */
/* futex(2) itself: wait, wake, time-out, requeue, bitset. */
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "tests/posix/check.h"

static int word, other, awake;

static long futex(int *at, int op, int value, void *time, int *at2, int value3)
{
	return syscall(SYS_futex, at, op, value, time, at2, value3);
}

static void *wait_on(void *at)
{
	while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 0)
		(void)futex(at, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	__atomic_add_fetch(&awake, 1, __ATOMIC_RELAXED);
	return NULL;
}

int main(void)
{
	struct timespec t = {0, 20000000}, late = {0, 0};
	pthread_t thread[10];
	long woken;

	CHECK_ERR(futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN);
	CHECK_ERR(futex(&word, FUTEX_WAIT, 0, &t, NULL, 0), ETIMEDOUT);
	CHECK_ERR(
	    futex(&word, FUTEX_WAIT_BITSET, 0, &late, NULL, 1), ETIMEDOUT);
	CHECK_ERR(
	    futex((int *)((char *)&word + 1), FUTEX_WAKE, 1, NULL, NULL, 0),
	    EINVAL);
	CHECK_ERR(futex((int *)8, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
	CHECK(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0) == 0);
	for (int i = 0; i < 10; i++)
		CHECK(!pthread_create(&thread[i], NULL, wait_on, &word));
	/* Those that sleep by then are moved to another word. */
	usleep(50000);
	woken =
	    futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)100L, &other, 0);
	CHECK(woken >= 0 && woken <= 10);
	CHECK_ERR(
	    futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)100L, &other, 5),
	    EAGAIN);
	__atomic_store_n(&word, 1, __ATOMIC_RELEASE);
	(void)futex(&other, FUTEX_WAKE_PRIVATE, 1000, NULL, NULL, 0);
	(void)futex(&word, FUTEX_WAKE_PRIVATE, 1000, NULL, NULL, 0);
	for (int i = 0; i < 10; i++)
		CHECK(!pthread_join(thread[i], NULL));
	CHECK(awake == 10);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a cancellation point does before and after its kernel call, linked
 * only with pthread_cancel.
 *
 * musl decides by the program counter whether a cancelled thread was inside
 * the call.  Here the kernel is told instead (cancel_point): while the flag
 * is on, a pending cancellation signal ends any wait with EINTR even if it is
 * blocked, which is the state that musl's handler leaves behind when it came
 * too early.  __cp_begin and the like are empty ranges for its benefit.
 */
#include "pthread_impl.h"
#include "syscall.h"

extern long toril_sys_cancel_point(long on);

hidden long __cancel(void);
hidden long __toril_cp(long nr, long a, long b, long c, long d, long e, long f);

static int is_off(pthread_t self, long nr)
{
	int st = self->canceldisable;

	return st && (st == PTHREAD_CANCEL_DISABLE || nr == SYS_close);
}

static long begin(long nr)
{
	pthread_t self = __pthread_self();

	if (is_off(self, nr))
		return 0;
	toril_sys_cancel_point(1);
	if (!self->cancel)
		return 0;
	toril_sys_cancel_point(0);
	return __cancel();
}

static long end(long nr, long result)
{
	pthread_t self = __pthread_self();

	toril_sys_cancel_point(0);
	if (result == -EINTR && nr != SYS_close && self->cancel &&
	    self->canceldisable != PTHREAD_CANCEL_DISABLE)
		return __cancel();
	return result;
}

long __toril_cp(long nr, long a, long b, long c, long d, long e, long f)
{
	long r = begin(nr);

	return r ? r : end(nr, toril_kcall_by_number(nr, a, b, c, d, e, f));
}

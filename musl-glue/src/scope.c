/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contention scope of threads, in the place of musl's, which knows system
 * scope alone.  Each thread is a kernel entity either way, and one process
 * is the system: the scopes differ in what sched_setscheduler() and
 * sched_setparam() of the process do (musl-glue/src/sched.c).  The entities
 * of process scope follow it, those of system scope do not.
 *
 * The scope is in a word of the attributes that musl leaves free.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>

#define SCOPE(attr) ((attr)->__u.__i[13])

_Static_assert(sizeof(pthread_attr_t) == 14 * sizeof(int), "14 words");

long toril_sys_thread_scope();
int __pthread_create(
    pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int pthread_attr_setscope(pthread_attr_t *attr, int scope)
{
	if (scope != PTHREAD_SCOPE_SYSTEM && scope != PTHREAD_SCOPE_PROCESS)
		return EINVAL;
	SCOPE(attr) = scope;
	return 0;
}

int pthread_attr_getscope(const pthread_attr_t *attr, int *scope)
{
	*scope = SCOPE(attr);
	return 0;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
    void *(*fn)(void *), void *arg)
{
	int err;

	if (!attr || SCOPE(attr) == PTHREAD_SCOPE_SYSTEM)
		return __pthread_create(thread, attr, fn, arg);
	toril_sys_thread_scope(PTHREAD_SCOPE_PROCESS);
	err = __pthread_create(thread, attr, fn, arg);
	toril_sys_thread_scope(PTHREAD_SCOPE_SYSTEM);
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libatomic.a: atomic operations that gcc does not write inline, by the names
 * and rules of GCC's libatomic ABI.
 *
 * 16 bytes take CMPXCHG16B, which x86-64's second generation has had since
 * 2006; every other size a lock, chosen by the object's address.  GCC's own
 * library finds its variants with indirect functions, which musl has not.
 * All are sequentially consistent, whichever order is asked for.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef unsigned __int128 u128;

#define NAMED(name) __asm__("__atomic_" name)

#define LOCKS 64

/* They sleep: a thread of higher priority must let the owner go on. */
static pthread_mutex_t locks[LOCKS]; /* zeros are unlocked ones */

static pthread_mutex_t *lock(const volatile void *at)
{
	uintptr_t n = (uintptr_t)at;
	pthread_mutex_t *l = &locks[(n >> 4 ^ n >> 12) % LOCKS];

	pthread_mutex_lock(l);
	return l;
}

static void unlock(pthread_mutex_t *l)
{
	pthread_mutex_unlock(l);
}

/* Any size */

void any_load(size_t n, const void *at, void *to, int order) NAMED("load");
void any_load(size_t n, const void *at, void *to, int order)
{
	pthread_mutex_t *l = lock(at);

	(void)order;
	memcpy(to, at, n);
	unlock(l);
}

void any_store(size_t n, void *at, const void *from, int order) NAMED("store");
void any_store(size_t n, void *at, const void *from, int order)
{
	pthread_mutex_t *l = lock(at);

	(void)order;
	memcpy(at, from, n);
	unlock(l);
}

void any_exchange(size_t n, void *at, const void *from, void *old, int order)
    NAMED("exchange");
void any_exchange(size_t n, void *at, const void *from, void *old, int order)
{
	pthread_mutex_t *l = lock(at);

	(void)order;
	memcpy(old, at, n);
	memcpy(at, from, n);
	unlock(l);
}

bool any_compare_exchange(size_t n, void *at, void *expected,
    const void *desired, int order, int failure) NAMED("compare_exchange");
bool any_compare_exchange(size_t n, void *at, void *expected,
    const void *desired, int order, int failure)
{
	pthread_mutex_t *l = lock(at);
	bool same = !memcmp(at, expected, n);

	(void)order;
	(void)failure;
	if (same)
		memcpy(at, desired, n);
	else
		memcpy(expected, at, n);
	unlock(l);
	return same;
}

bool is_lock_free(size_t n, const volatile void *at) NAMED("is_lock_free");
bool is_lock_free(size_t n, const volatile void *at)
{
	return n && n <= 16 && !(n & (n - 1)) && !((uintptr_t)at & (n - 1));
}

/* 16 bytes */

static u128 swap(volatile u128 *at, u128 expected, u128 desired)
{
	return __sync_val_compare_and_swap(at, expected, desired);
}

u128 load_16(volatile u128 *at, int order) NAMED("load_16");
u128 load_16(volatile u128 *at, int order)
{
	(void)order;
	return swap(at, 0, 0);
}

bool compare_exchange_16(volatile u128 *at, u128 *expected, u128 desired,
    int order, int failure) NAMED("compare_exchange_16");
bool compare_exchange_16(
    volatile u128 *at, u128 *expected, u128 desired, int order, int failure)
{
	u128 want = *expected, was = swap(at, want, desired);

	(void)order;
	(void)failure;
	*expected = was;
	return was == want;
}

/* fetch_X returns what was there, X_fetch what is there now. */
#define OPERATION(name, expression)                                            \
	u128 fetch_##name(volatile u128 *at, u128 value, int order)            \
	    NAMED("fetch_" #name "_16");                                       \
	u128 fetch_##name(volatile u128 *at, u128 value, int order)            \
	{                                                                      \
		u128 old = *at, was;                                           \
                                                                               \
		(void)order;                                                   \
		while ((was = swap(at, old, expression)) != old)               \
			old = was;                                             \
		return old;                                                    \
	}                                                                      \
	u128 name##_fetch(volatile u128 *at, u128 value, int order)            \
	    NAMED(#name "_fetch_16");                                          \
	u128 name##_fetch(volatile u128 *at, u128 value, int order)            \
	{                                                                      \
		u128 old = fetch_##name(at, value, order);                     \
                                                                               \
		return expression;                                             \
	}

OPERATION(add, old + value)
OPERATION(sub, old - value)
OPERATION(and, old &value)
OPERATION(or, old | value)
OPERATION(xor, old ^ value)
OPERATION(nand, ~(old &value))

u128 exchange_16(volatile u128 *at, u128 value, int order) NAMED("exchange_16");
u128 exchange_16(volatile u128 *at, u128 value, int order)
{
	u128 old = *at, was;

	(void)order;
	while ((was = swap(at, old, value)) != old)
		old = was;
	return old;
}

void store_16(volatile u128 *at, u128 value, int order) NAMED("store_16");
void store_16(volatile u128 *at, u128 value, int order)
{
	exchange_16(at, value, order);
}

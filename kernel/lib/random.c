/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ChaCha20 random numbers; see random.h.  Each block's first 32 bytes become
 * the next key, so that what was handed out can't be recomputed; the other
 * 32 are handed out.
 */
#include "kernel/lib/random.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/lib/string.h"
#include "kernel/sched/spinlock.h"

static struct spinlock random_lock;
static uint32_t key[8] __attribute__((aligned(8))); /* [random_lock] */
static bool seeded;                                 /* [random_lock] */
static uint8_t pool[32];                            /* [random_lock] */
static size_t pool_left;                            /* [random_lock] */

static uint32_t rotl(uint32_t v, int n)
{
	return v << n | v >> (32 - n);
}

static void quarter(uint32_t *x, int a, int b, int c, int d)
{
	x[a] += x[b];
	x[d] = rotl(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotl(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotl(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotl(x[b] ^ x[c], 7);
}

/* RFC 8439 2.3 with counter and nonce 0: the key changes instead. */
static void block(uint32_t out[16])
{
	uint32_t in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

	memcpy(in + 4, key, sizeof(key));
	memcpy(out, in, sizeof(in));
	for (int i = 0; i < 10; i++) {
		quarter(out, 0, 4, 8, 12);
		quarter(out, 1, 5, 9, 13);
		quarter(out, 2, 6, 10, 14);
		quarter(out, 3, 7, 11, 15);
		quarter(out, 0, 5, 10, 15);
		quarter(out, 1, 6, 11, 12);
		quarter(out, 2, 7, 8, 13);
		quarter(out, 3, 4, 9, 14);
	}
	for (int i = 0; i < 16; i++)
		out[i] += in[i];
}

static void refill_locked(void)
{
	uint32_t out[16];

	block(out);
	memcpy(key, out, sizeof(key));
	memcpy(pool, out + 8, sizeof(pool));
	pool_left = sizeof(pool);
}

static void mix_locked(uint64_t v)
{
	key[0] ^= (uint32_t)v;
	key[1] ^= (uint32_t)(v >> 32);
	refill_locked();
	pool_left = 0;
}

static void seed_locked(void)
{
	for (int i = 0; i < 4; i++)
		((uint64_t *)key)[i] =
		    cpu_random() ^ cpu_rdtsc() * 0x9e3779b97f4a7c15ull;
	mix_locked((uintptr_t)&key);
	seeded = true;
}

void random_mix(uint64_t v)
{
	unsigned long flags = spin_lock_irq(&random_lock);

	if (!seeded)
		seed_locked();
	mix_locked(v);
	spin_unlock_irq(&random_lock, flags);
}

void random_bytes(void *buf, size_t n)
{
	unsigned long flags = spin_lock_irq(&random_lock);
	uint8_t *out = buf;

	if (!seeded)
		seed_locked();
	while (n) {
		size_t len;
		if (!pool_left)
			refill_locked();
		len = min(n, pool_left);
		memcpy(out, pool + sizeof(pool) - pool_left, len);
		memset(pool + sizeof(pool) - pool_left, 0, len);
		pool_left -= len;
		out += len;
		n -= len;
	}
	spin_unlock_irq(&random_lock, flags);
}

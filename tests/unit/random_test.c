/* SPDX-License-Identifier: BSD-2-Clause */
/* The generator: ChaCha20's block against RFC 8439, and what is handed out. */
#include "tests/unit/cmocka.h"
#include <string.h>
#include "tests/unit/shim/shim.h"

static uint64_t cpu_value;

/* In place of the CPU's. */
#define TORIL_KERNEL_ARCH_X86_64_CPU_H
static uint64_t cpu_random(void)
{
	return cpu_value += 0x123456789;
}

static uint64_t cpu_rdtsc(void)
{
	return cpu_value;
}

#include "kernel/lib/random.c"

/* RFC 8439, A.1, test vector 1: all zero key, nonce and counter. */
static void block_of_zero_key(void **state)
{
	static const uint32_t expect[16] = {0xade0b876, 0x903df1a0, 0xe56a5d40,
	    0x28bd8653, 0xb819d2bd, 0x1aed8da0, 0xccef36a8, 0xc70d778b,
	    0x7c5941da, 0x8d485751, 0x3fe02477, 0x374ad8b8, 0xf4b8436a,
	    0x1ca11815, 0x69b687c3, 0x8665eeb2};
	uint32_t out[16];

	(void)state;
	memset(key, 0, sizeof(key));
	block(out);
	assert_memory_equal(out, expect, sizeof(out));
}

static void nothing_repeats(void **state)
{
	static uint8_t a[10000], b[10000];

	(void)state;
	for (size_t n = 0; n < sizeof(a); n += n / 2 + 1)
		random_bytes(a + n,
		    n / 2 + 1 < sizeof(a) - n ? n / 2 + 1 : sizeof(a) - n);
	random_bytes(b, sizeof(b));
	assert_int_equal(seeded, true);
	for (size_t i = 0; i + 16 <= sizeof(a); i += 16)
		assert_memory_not_equal(a + i, b + i, 16);
	assert_int_equal(shim_locks_held, 0);
}

static void what_was_handed_out_is_erased(void **state)
{
	uint8_t out[20];

	(void)state;
	random_mix(7);
	assert_int_equal(pool_left, 0);
	random_bytes(out, sizeof(out));
	assert_int_equal(pool_left, 12);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(pool[i], 0);
}

static void bits_are_balanced(void **state)
{
	static uint8_t out[100000];
	unsigned ones = 0, seen[256] = {0};

	(void)state;
	random_bytes(out, sizeof(out));
	for (size_t i = 0; i < sizeof(out); i++) {
		ones += (unsigned)__builtin_popcount(out[i]);
		seen[out[i]]++;
	}
	assert_in_range(ones, 396000, 404000);
	for (int i = 0; i < 256; i++)
		assert_in_range(seen[i], 280, 510);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(block_of_zero_key),
	    cmocka_unit_test(nothing_repeats),
	    cmocka_unit_test(what_was_handed_out_is_erased),
	    cmocka_unit_test(bits_are_balanced),
	};

	return RUN_TAP(tests);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The formatter against libc's, and where messages go. */
#include "tests/unit/cmocka.h"
#include <stdio.h>
#include <string.h>
#include "kernel/arch/x86_64/uart.h"
#include "kernel/lib/printk.h"

static char console[1000];
static size_t console_len;

void uart_write(const char *text, size_t n)
{
	assert_true(console_len + n < sizeof(console));
	memcpy(console + console_len, text, n);
	console_len += n;
	console[console_len] = 0;
}

#define SAME(...)                                                              \
	do {                                                                   \
		char ours[200], theirs[200];                                   \
		int n = ksnprintf(ours, sizeof(ours), __VA_ARGS__);            \
		assert_int_equal(                                              \
		    n, snprintf(theirs, sizeof(theirs), __VA_ARGS__));         \
		assert_string_equal(ours, theirs);                             \
	} while (0)

static void as_libc(void **state)
{
	(void)state;
	SAME("plain");
	SAME("%d %i %u", -5, 7, 4000000000u);
	SAME("%d %d", -2147483647 - 1, 2147483647);
	SAME("%ld %lu %lx", -9223372036854775807l - 1, ~0ul, ~0ul);
	SAME("%lld %llx", -1ll, 0x123456789abcdefull);
	SAME("%zu %zd", sizeof(int), (ssize_t)-3);
	SAME("%x %X %#x", 0xbeef, 0xbeef, 0xbeef);
	SAME("%8d|%3d|%08x|%016lx", 42, 12345, 0xabc, 0x1234ul);
	SAME("%s|%10s|%c|%%", "text", "right", 'x');
	SAME("%p", (void *)0x1000);
	SAME("%x %d", 0, 0);
	SAME("%5d|%5d", -42, 42);
	SAME("%-8s|%-4d|%-6x|%*s|%*d", "left", 7, 0xab, 6, "star", 3, 5);
	SAME("%.3s|%.9s|%8.2s|%-5.1s|", "precise", "short", "ab", "cd");
}

static void negative_with_zeros(void **state)
{
	(void)state;
	SAME("%05d|%08ld", -42, -7l);
}

static void cut_off(void **state)
{
	char buf[8];

	(void)state;
	memset(buf, 'z', sizeof(buf));
	assert_int_equal(ksnprintf(buf, 5, "%s", "1234567"), 7);
	assert_string_equal(buf, "1234");
	assert_int_equal(buf[5], 'z');
	assert_int_equal(ksnprintf(buf, 1, "abc"), 3);
	assert_string_equal(buf, "");
	assert_int_equal(ksnprintf(NULL, 0, "%d", 12345), 5);
}

static void oddities(void **state)
{
	char buf[40];
	const char *volatile null = NULL;
	const char *unfinished = "50%", *unknown = "%q";

	(void)state;
	ksnprintf(buf, sizeof(buf), "%s", null);
	assert_string_equal(buf, "(null)");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	ksnprintf(buf, sizeof(buf), unfinished);
	assert_string_equal(buf, "50");
	ksnprintf(buf, sizeof(buf), unknown);
	assert_string_equal(buf, "q");
#pragma GCC diagnostic pop
}

static void messages(void **state)
{
	static char longer[400];

	(void)state;
	printk_verbose("silent %d\n", 1);
	assert_int_equal(console_len, 0);
	printk("loud %d\n", 2);
	assert_string_equal(console, "loud 2\n");
	printk_is_verbose = true;
	printk_verbose("now\n");
	assert_string_equal(console, "loud 2\nnow\n");
	memset(longer, 'a', sizeof(longer) - 1);
	printk("%s", longer);
	assert_true(console_len < 11 + 256);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(as_libc),
	    cmocka_unit_test(negative_with_zeros),
	    cmocka_unit_test(cut_off),
	    cmocka_unit_test(oddities),
	    cmocka_unit_test(messages),
	};

	return RUN_TAP(tests);
}

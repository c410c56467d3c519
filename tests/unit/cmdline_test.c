/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel command line. */
#include "tests/unit/cmocka.h"
#include "kernel/lib/cmdline.h"

static void words(void **state)
{
	const char *pos = NULL, *line = "  a=1 ab=2 a\ta= xa=3 a==4\n";

	(void)state;
	assert_memory_equal(cmdline_next(line, "a", &pos), "1 ", 2);
	assert_string_equal(cmdline_next(line, "a", &pos), "");
	assert_memory_equal(cmdline_next(line, "a", &pos), " xa", 3);
	assert_memory_equal(cmdline_next(line, "a", &pos), "=4", 2);
	assert_null(cmdline_next(line, "a", &pos));
	assert_null(cmdline_next(line, "a", &pos));
	pos = NULL;
	assert_null(cmdline_next("", "a", &pos));
	pos = NULL;
	assert_null(cmdline_next("aa", "a", &pos));
}

static bool number(const char *text, uint64_t *v)
{
	return cmdline_number(&text, ":", v);
}

static void numbers(void **state)
{
	uint64_t v;

	(void)state;
	assert_true(number("0", &v) && v == 0);
	assert_true(number("123 ", &v) && v == 123);
	assert_true(number("0xfeb00e00:", &v) && v == 0xfeb00e00);
	assert_true(number("0XaB", &v) && v == 0xab);
	assert_true(number("4k", &v) && v == 4096);
	assert_true(number("3M", &v) && v == 3 << 20);
	assert_false(number("", &v));
	assert_false(number("-1", &v));
	assert_false(number("0x", &v));
	assert_false(number("12x", &v));
	assert_false(number("0xg", &v));
	assert_false(number("99999999999999999999", &v));
	assert_false(number("0x10000000000000000", &v));
}

static void devices(void **state)
{
	struct cmdline_device d;
	static const char *const bad[] = {"", "512", "512@", "512@0xfeb00e00",
	    "512@0xfeb00e00:", "512@0xfeb00e00:256", "512@0xfeb00e00:x",
	    "@0xfeb00e00:12", "512:0xfeb00e00@12", "512@ 0x1:2"};

	(void)state;
	assert_true(cmdline_device_parse("512@0xfeb00e00:12", &d));
	assert_int_equal(d.size, 512);
	assert_int_equal(d.base, 0xfeb00e00);
	assert_int_equal(d.irq, 12);
	assert_true(cmdline_device_parse("4K@0xd0000000:5 more", &d));
	assert_int_equal(d.size, 4096);
	assert_true(cmdline_device_parse("512@0x1000:5:1", &d));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(cmdline_device_parse(bad[i], &d));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words),
	    cmocka_unit_test(numbers),
	    cmocka_unit_test(devices),
	};

	return RUN_TAP(tests);
}

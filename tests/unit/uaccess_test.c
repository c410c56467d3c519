/* SPDX-License-Identifier: BSD-2-Clause */
/* A program's memory: ranges, cursors, pinned pieces. */
#include "tests/unit/cmocka.h"
#include <string.h>
#include "kernel/mm/kmem.h"
#include "kernel/mm/uaccess.h"
#include "tests/unit/shim/shim.h"

static char data[100];

static void ranges(void **state)
{
	char buf[8] = "";

	(void)state;
	assert_int_equal(copy_in(buf, "1234567", 8), 0);
	assert_string_equal(buf, "1234567");
	assert_int_equal(copy_in(buf, (void *)0xffff800000000000, 1), -EFAULT);
	assert_int_equal(copy_in(buf, (void *)0x7fffffffffff, 2), -EFAULT);
	assert_int_equal(copy_in(buf, (void *)8, SIZE_MAX), -EFAULT);
	assert_int_equal(copy_out((void *)UINT64_MAX, buf, 1), -EFAULT);
	assert_int_equal(clear_out(buf, 8), 0);
	assert_int_equal(buf[0] | buf[6], 0);
}

static void strings(void **state)
{
	char buf[5];

	(void)state;
	assert_int_equal(copy_in_string(buf, "abcd", 5), 4);
	assert_string_equal(buf, "abcd");
	assert_int_equal(copy_in_string(buf, "", 5), 0);
	assert_int_equal(copy_in_string(buf, "abcde", 5), -ENAMETOOLONG);
	assert_int_equal(
	    copy_in_string(buf, (void *)0x800000000000, 5), -EFAULT);
}

static void cursor_moves(void **state)
{
	struct iovec iov[4] = {
	    {data, 10}, {data + 50, 0}, {data + 20, 5}, {data + 30, 7}};
	char out[30];
	struct iov_iter it;

	(void)state;
	for (int i = 0; i < 100; i++)
		data[i] = (char)i;
	iter_init(&it, iov, 4, false);
	assert_int_equal(it.left, 22);
	assert_int_equal(iter_in(out, 12, &it), 12);
	assert_int_equal(out[9], 9);
	assert_int_equal(out[11], 21);
	iter_revert(&it, iov, 4);
	assert_int_equal(it.left, 14);
	assert_int_equal(iter_in(out, 30, &it), 14);
	assert_int_equal(out[0], 8);
	assert_int_equal(out[13], 36);
	assert_int_equal(iter_in(out, 1, &it), 0);
	iter_revert(&it, iov, 22);
	assert_int_equal(iter_clear(&it, 11), 11);
	assert_int_equal(data[9] | data[20], 0);
	assert_int_equal(data[21], 21);
}

static void cursor_stops_at_bad_memory(void **state)
{
	struct iovec iov[2] = {{data, 10}, {data + 20, 10}};
	char out[30];
	struct iov_iter it;

	(void)state;
	shim_bad_start = data + 25;
	shim_bad_end = data + 26;
	iter_init(&it, iov, 2, false);
	assert_int_equal(iter_in(out, 30, &it), 15);
	assert_int_equal(it.left, 5);
	assert_int_equal(iter_in(out, 30, &it), -EFAULT);
	shim_bad_start = shim_bad_end = NULL;
}

static void pins(void **state)
{
	static char area[3 * 4096] __attribute__((aligned(4096)));
	struct iovec iov = {area + 100, 9000};
	struct iov_iter it;
	struct sg sg[4];
	unsigned nr;

	(void)state;
	iter_init(&it, &iov, 1, false);
	assert_int_equal(iter_pin(&it, true, SIZE_MAX, sg, 4, &nr), 9000);
	assert_int_equal(nr, 3);
	assert_int_equal(sg[0].phys, (uintptr_t)area + 100);
	assert_int_equal(sg[0].len, 3996);
	assert_int_equal(sg[1].len, 4096);
	assert_int_equal(sg[2].len, 908);
	assert_int_equal(it.left, 9000);
	assert_int_equal(iter_pin(&it, true, SIZE_MAX, sg, 2, &nr), 8092);
	assert_int_equal(iter_pin(&it, true, 5000, sg, 4, &nr), 5000);
	iter_unpin(sg, nr);
	shim_bad_start = area + 4096;
	shim_bad_end = area + 8192;
	assert_int_equal(iter_pin(&it, false, SIZE_MAX, sg, 4, &nr), 3996);
	iter_advance(&it, 3996);
	assert_int_equal(iter_pin(&it, false, 10, sg, 4, &nr), -EFAULT);
	shim_bad_start = shim_bad_end = NULL;
}

static void arrays(void **state)
{
	struct iovec fast[8], *heap, user[20] = {{data, 4}, {data, 5}};
	struct iov_iter it;

	(void)state;
	assert_int_equal(iovec_import(user, 2, fast, &heap, &it), 0);
	assert_true(it.left == 9 && !heap);
	assert_int_equal(iovec_import(user, 20, fast, &heap, &it), 0);
	assert_true(it.left == 9 && heap);
	kfree(heap);
	assert_int_equal(iovec_import(user, 0, fast, &heap, &it), 0);
	assert_int_equal(it.left, 0);
	assert_int_equal(iovec_import(user, 1025, fast, &heap, &it), -EINVAL);
	user[1].iov_len = SIZE_MAX;
	assert_int_equal(iovec_import(user, 20, fast, &heap, &it), -EINVAL);
	user[1].iov_len = SIZE_MAX / 2;
	assert_int_equal(iovec_import(user, 2, fast, &heap, &it), 0);
	assert_int_equal(it.left, RW_MAX);
	shim_memory_left = 0;
	assert_int_equal(iovec_import(user, 20, fast, &heap, &it), -ENOMEM);
	shim_memory_left = -1;
	assert_int_equal(
	    iovec_import((void *)0x900000000000, 9, fast, &heap, &it), -EFAULT);
	assert_int_equal(shim_memory_used, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ranges),
	    cmocka_unit_test(strings),
	    cmocka_unit_test(cursor_moves),
	    cmocka_unit_test(cursor_stops_at_bad_memory),
	    cmocka_unit_test(pins),
	    cmocka_unit_test(arrays),
	};

	return RUN_TAP(tests);
}

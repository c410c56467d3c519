/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations that fail on purpose; see fail.h. */
#include "kernel/mm/fail.h"
#include "kernel/arch/x86_64/boot.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/printk.h"
#include "kernel/mm/vm.h"

static uint64_t left; /* [a] until the one that fails; 0: none does */

void fail_alloc_start(const char *cmdline)
{
	const char *pos = NULL;
	const char *value = cmdline_next(cmdline, "toril.fail_alloc", &pos);
	uint64_t n;

	if (value && cmdline_number(&value, "", &n))
		__atomic_store_n(&left, n, __ATOMIC_RELAXED);
}

/* Who wanted the memory: what looks like a return address.  There are no
 * frame pointers. */
static void callers_print(void)
{
	extern char __text_start[], __text_end[];
	uintptr_t at = (uintptr_t)__builtin_frame_address(0), word;

	printk("image base %#lx\n", boot_info.bias);
	for (int n = 0; n < 16 && !vm_peek(&word, at, sizeof(word)); at += 8)
		if (word >= (uintptr_t)__text_start &&
		    word < (uintptr_t)__text_end) {
			printk("  [<%#lx>]\n", word);
			n++;
		}
}

bool fail_alloc(void)
{
	uint64_t n = __atomic_load_n(&left, __ATOMIC_RELAXED);

	do {
		if (!n)
			return false;
	} while (!__atomic_compare_exchange_n(
	    &left, &n, n - 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	if (n != 1)
		return false;
	printk("toril: an allocation fails\n");
	callers_print();
	return true;
}

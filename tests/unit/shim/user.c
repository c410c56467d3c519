/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What uaccess.c stands on: here a program's memory is our own, but for one
 * range of addresses that faults.  Under a spin lock every access would.
 */
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/vm.h"
#include "tests/unit/shim/shim.h"

const char *shim_bad_start, *shim_bad_end;
struct mutex vm_lock;

static size_t good(const void *at, size_t n)
{
	const char *p = at;

	assert(!shim_locks_held);
	if (p + n <= shim_bad_start || p >= shim_bad_end)
		return n;
	return p < shim_bad_start ? (size_t)(shim_bad_start - p) : 0;
}

size_t uaccess_copy(void *dst, const void *src, size_t n);
size_t uaccess_clear(void *dst, size_t n);
int uaccess_byte(const void *src);

size_t uaccess_copy(void *dst, const void *src, size_t n)
{
	size_t ok = min(good(dst, n), good(src, n));

	memcpy(dst, src, ok);
	return n - ok;
}

size_t uaccess_clear(void *dst, size_t n)
{
	size_t ok = good(dst, n);

	memset(dst, 0, ok);
	return n - ok;
}

int uaccess_byte(const void *src)
{
	return good(src, 1) ? *(const unsigned char *)src : -1;
}

paddr_t vm_translate_locked(uintptr_t va, bool write)
{
	(void)write;
	return good((void *)va, 1) ? va : 0;
}

int vm_fault(uintptr_t addr, unsigned access)
{
	(void)addr, (void)access;
	return -EFAULT;
}

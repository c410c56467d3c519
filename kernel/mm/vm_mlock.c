/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mlock(2) and its kin.  Nothing is ever swapped out, so to lock pages is to
 * have them present and to remember that they are locked, for msync and
 * /proc.
 */
#include <linux/mman.h>
#include "kernel/arch/x86_64/layout.h"
#include "kernel/mm/vm.h"
#include "kernel/mm/vm_pages.h"
#include "kernel/mm/vm_region.h"

static bool lock_future; /* [vm_lock] MCL_FUTURE */

static void mark_locked(uintptr_t start, uintptr_t end, bool lock)
{
	struct vm_region *r = vm_region_find(start);

	for (; r && r->start < end; r = vm_region_next(r))
		r->flags =
		    lock ? r->flags | VM_MLOCK : r->flags & ~(unsigned)VM_MLOCK;
}

long vm_mlock(uintptr_t addr, size_t len, bool lock, bool populate)
{
	uintptr_t start = addr & PAGE_MASK, end;
	long err;

	if (__builtin_add_overflow(addr, len, &end) || end > USER_END)
		return len ? -ENOMEM : 0;
	end = ALIGN_UP(end, PAGE_SIZE);
	if (start == end)
		return 0;
	mutex_lock(&vm_lock);
	err = vm_check_covered(start, end);
	if (!err)
		err = vm_split_range(start, end);
	if (!err)
		mark_locked(start, end, lock);
	mutex_unlock(&vm_lock);
	return err || !lock || !populate ? err
					 : vm_populate(start, end - start);
}

/* The first region at or after *at that is locked; moves *at behind it. */
static bool next_locked(uintptr_t *at, uintptr_t *start, size_t *len)
{
	struct vm_region *r;

	MUTEX_GUARD(&vm_lock);
	for (r = vm_region_next(NULL); r; r = vm_region_next(r)) {
		if (r->start < *at || !(r->flags & VM_MLOCK) ||
		    r->flags & (VM_STACK | VM_LOCKED))
			continue;
		*start = r->start;
		*len = r->end - r->start;
		*at = r->end;
		return true;
	}
	return false;
}

void vm_mlockall(unsigned flags)
{
	uintptr_t at = 0, start;
	struct vm_region *r;
	size_t len;

	mutex_lock(&vm_lock);
	lock_future = flags & MCL_FUTURE;
	for (r = vm_region_next(NULL); r; r = vm_region_next(r))
		if (!flags)
			r->flags &= ~(unsigned)VM_MLOCK;
		else if (flags & MCL_CURRENT)
			r->flags |= VM_MLOCK;
	mutex_unlock(&vm_lock);
	if (!(flags & MCL_CURRENT) || flags & MCL_ONFAULT)
		return;
	while (next_locked(&at, &start, &len))
		(void)vm_populate(start, len); /* best effort, as on Linux */
}

bool vm_mlock_future(void)
{
	return lock_future;
}

bool vm_any_locked(uintptr_t start, uintptr_t end)
{
	struct vm_region *r = vm_region_find(start);

	for (; r && r->start < end; r = vm_region_next(r))
		if (r->flags & VM_MLOCK)
			return true;
	return false;
}

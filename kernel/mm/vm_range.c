/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls on ranges of mapped memory that leave the regions as they are: what
 * becomes of the pages, and which are there.
 */
#include <linux/mman.h>
#include "kernel/arch/x86_64/layout.h"
#include "kernel/mm/uaccess.h"
#include "kernel/mm/vm.h"
#include "kernel/mm/vm_pages.h"
#include "kernel/mm/vm_region.h"

long vm_madvise(uintptr_t addr, size_t len, int advice)
{
	struct vm_region *r;
	long err = vm_check_range(addr, &len);

	if (err)
		return err;
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_DONTNEED:
	case MADV_FREE:
		break;
	default:
		return -EINVAL;
	}
	MUTEX_GUARD(&vm_lock);
	if (vm_touches_image(addr, addr + len))
		return -EPERM;
	if (advice == MADV_DONTNEED || advice == MADV_FREE)
		for (r = vm_region_at_or_after(addr);
		     r && r->start < addr + len; r = vm_region_next(r))
			pages_zap(max(r->start, addr), min(r->end, addr + len),
			    ZAP_PAGES);
	return len ? vm_check_covered(addr, addr + len) : 0;
}

void vm_object_zap(
    struct vm_object *o, uint64_t first, uint64_t last, bool copies)
{
	struct vm_region *r = NULL;

	MUTEX_GUARD(&vm_lock);
	o->zaps++;
	while ((r = vm_region_next(r))) {
		uint64_t pages = (r->end - r->start) >> PAGE_SHIFT, from, to;
		if (r->object != o || last < r->index ||
		    first >= r->index + pages)
			continue;
		from = max(first, r->index) - r->index;
		to = min(last - r->index, pages - 1) + 1;
		pages_zap(r->start + (from << PAGE_SHIFT),
		    r->start + (to << PAGE_SHIFT),
		    copies ? ZAP_PAGES : ZAP_OBJECT);
	}
}

/* Objects of [addr, end), one after the other, with a reference each. */
static struct vm_object *object_next(
    uintptr_t *addr, uintptr_t end, uint64_t *index, uint64_t *n)
{
	struct vm_region *r;

	MUTEX_GUARD(&vm_lock);
	for (r = vm_region_at_or_after(*addr);
	     r && *addr < end && r->start < end; r = vm_region_next(r)) {
		uintptr_t from = max(*addr, r->start);
		*addr = min(end, r->end);
		if (!r->object || !(r->flags & VM_SHARED))
			continue;
		*index = r->index + ((from - r->start) >> PAGE_SHIFT);
		*n = (*addr - from) >> PAGE_SHIFT;
		__atomic_add_fetch(&r->object->refs, 1, __ATOMIC_RELAXED);
		return r->object;
	}
	return NULL;
}

long vm_msync(uintptr_t addr, size_t len, int flags)
{
	struct vm_object *o;
	uint64_t index, n;
	uintptr_t at = addr;
	long err;

	if (addr & ~PAGE_MASK ||
	    flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (addr > USER_END || len > USER_END - addr)
		return -ENOMEM;
	if (!len)
		return 0;
	mutex_lock(&vm_lock);
	err = vm_check_covered(addr, addr + len);
	if (!err && flags & MS_INVALIDATE && vm_any_locked(addr, addr + len))
		err = -EBUSY;
	mutex_unlock(&vm_lock);
	while (!err && (o = object_next(&at, addr + len, &index, &n))) {
		err = o->ops->sync(o, index, n);
		vm_object_put(o);
	}
	return err;
}

long vm_mincore(uintptr_t addr, size_t len, uint8_t *vec)
{
	if (addr & ~PAGE_MASK)
		return -EINVAL;
	for (size_t i = 0; i * PAGE_SIZE < len; i++) {
		uintptr_t va = addr + i * PAGE_SIZE;
		uint8_t in;
		mutex_lock(&vm_lock);
		in = vm_translate_locked(va, false) != 0;
		if (!vm_region_find(va)) {
			mutex_unlock(&vm_lock);
			return -ENOMEM;
		}
		mutex_unlock(&vm_lock);
		if (put_user(&vec[i], in))
			return -EFAULT;
	}
	return 0;
}

long vm_populate(uintptr_t addr, size_t len)
{
	for (uintptr_t va = addr & PAGE_MASK; va < addr + len;
	     va += PAGE_SIZE) {
		struct vm_region *r;
		unsigned access = VM_READ;
		int err;
		mutex_lock(&vm_lock);
		r = vm_region_find(va);
		if (r && r->flags & VM_WRITE)
			access = VM_WRITE;
		mutex_unlock(&vm_lock);
		err = r ? vm_fault(va, access) : -ENOMEM;
		if (err)
			return err == -EFAULT || err == -EACCES ? -ENOMEM : err;
	}
	return 0;
}

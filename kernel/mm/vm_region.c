/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of regions, and where another one has room; see vm_region.h. */
#include <linux/mman.h>
#include "kernel/arch/x86_64/layout.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/vm.h"
#include "kernel/mm/vm_region.h"

static struct treap regions;             /* [vm_lock] */
static unsigned nr_regions;              /* [vm_lock] */
static uintptr_t room_hint;              /* [vm_lock] no gap is known above */
static uintptr_t guard_start, guard_end; /* [i] below the main stack */
uintptr_t vm_top;                        /* [i] */

static struct vm_region *to_region(struct treap_node *n)
{
	return n ? container_of(n, struct vm_region, node) : NULL;
}

struct vm_region *vm_region_next(struct vm_region *r)
{
	return to_region(r ? treap_next(&r->node) : treap_first(&regions));
}

struct vm_region *vm_region_find(uintptr_t addr)
{
	struct vm_region *r = to_region(treap_floor(&regions, addr));

	return r && addr < r->end ? r : NULL;
}

struct vm_region *vm_region_at_or_after(uintptr_t addr)
{
	struct vm_region *r = vm_region_find(addr);

	return r ? r : to_region(treap_ceil(&regions, addr));
}

bool vm_range_is_free(uintptr_t start, uintptr_t end)
{
	struct vm_region *r = vm_region_at_or_after(start);

	return !r || r->start >= end;
}

void vm_region_insert(struct vm_region *r)
{
	treap_insert(&regions, &r->node, r->start);
	nr_regions++;
}

void vm_region_remove(struct vm_region *r)
{
	treap_remove(&regions, &r->node);
	nr_regions--;
}

static bool can_merge(const struct vm_region *a, const struct vm_region *b)
{
	return a && b && a->end == b->start && a->flags == b->flags &&
	       !a->object && !b->object;
}

void vm_region_merge(struct vm_region *r)
{
	struct vm_region *prev = to_region(treap_prev(&r->node));
	struct vm_region *next = to_region(treap_next(&r->node));

	if (can_merge(r, next)) {
		r->end = next->end;
		vm_region_remove(next);
		kfree(next);
	}
	if (can_merge(prev, r)) {
		prev->end = r->end;
		vm_region_remove(r);
		kfree(r);
	}
}

/* Make addr a border between regions. */
static int split_at(uintptr_t addr)
{
	struct vm_region *r = vm_region_find(addr), *n;

	if (!r || r->start == addr)
		return 0;
	n = kmalloc(sizeof(*n));
	if (!n)
		return -ENOMEM;
	*n = *r;
	n->start = addr;
	n->index += (addr - r->start) >> PAGE_SHIFT;
	if (n->object)
		__atomic_add_fetch(&n->object->refs, 1, __ATOMIC_RELAXED);
	r->end = addr;
	vm_region_insert(n);
	return 0;
}

int vm_split_range(uintptr_t start, uintptr_t end)
{
	int err = split_at(start);

	return err ? err : split_at(end);
}

long vm_check_covered(uintptr_t start, uintptr_t end)
{
	struct vm_region *r = vm_region_find(start);

	for (; r && r->end < end; r = vm_region_next(r)) {
		struct vm_region *next = vm_region_next(r);
		if (!next || next->start != r->end)
			return -ENOMEM;
	}
	return r ? 0 : -ENOMEM;
}

/* Nothing comes to lie in the main stack's guard of itself. */
static uintptr_t below_guard(uintptr_t end)
{
	return end > guard_start && end <= guard_end ? guard_start : end;
}

/* The highest gap of len bytes below the mmap base, or 0. */
static uintptr_t find_gap(size_t len)
{
	uintptr_t end = below_guard(room_hint);
	struct vm_region *r;

	r = to_region(treap_floor(&regions, end - 1));
	for (; end > USER_MIN; r = to_region(treap_prev(&r->node))) {
		uintptr_t low = r ? r->end : USER_MIN;
		if (low < end && end - low >= len)
			return end - len;
		if (!r)
			return 0;
		end = below_guard(min(end, r->start));
	}
	return 0;
}

long vm_place(uintptr_t addr, size_t len, unsigned flags)
{
	uintptr_t gap;

	if (nr_regions >= VM_REGIONS_MAX)
		return -ENOMEM;
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (addr & ~PAGE_MASK)
			return -EINVAL;
		if (addr < USER_MIN)
			return -EPERM;
		if (addr > USER_END || len > USER_END - addr)
			return -ENOMEM;
		if (flags & MAP_FIXED_NOREPLACE &&
		    !vm_range_is_free(addr, addr + len))
			return -EEXIST;
		return (long)addr;
	}
	addr &= PAGE_MASK;
	if (addr >= USER_MIN && addr < vm_top && len <= vm_top - addr &&
	    vm_range_is_free(addr, addr + len) &&
	    (addr >= guard_end || addr + len <= guard_start))
		return (long)addr;
	gap = find_gap(len);
	if (!gap) {
		room_hint = vm_top;
		gap = find_gap(len);
	}
	if (gap && gap + len == below_guard(room_hint))
		room_hint = gap;
	return gap ? (long)gap : -ENOMEM;
}

void vm_room_freed(uintptr_t end)
{
	room_hint = max(room_hint, min(end, vm_top));
}

void vm_room_init(uintptr_t top)
{
	vm_top = room_hint = top;
}

void vm_room_guard(uintptr_t start, uintptr_t end)
{
	guard_start = start;
	guard_end = end;
}

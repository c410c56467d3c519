/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regions of the address space; see vm.h.  Pages are vm_fault.c's, which
 * this file asks to zap, protect and move ranges of them.
 *
 * A change first splits regions at its borders, so that what remains deals in
 * whole regions only.
 */
#include <linux/mman.h>
#include "kernel/arch/x86_64/layout.h"
#include "kernel/fs/file.h"
#include "kernel/lib/assert.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/vm.h"
#include "kernel/mm/vm_pages.h"

#define MAP_NONBLOCK_IGNORED (MAP_NONBLOCK | MAP_NORESERVE | MAP_STACK)
#define STACK_GUARD          MIB /* as Linux's stack_guard_gap */
#define PROT_ALL             (PROT_READ | PROT_WRITE | PROT_EXEC)

struct mutex vm_lock = MUTEX_INIT(vm_lock);
static struct treap regions;             /* [vm_lock] */
static unsigned nr_regions;              /* [vm_lock] */
static uintptr_t mmap_top;               /* [i] mappings are placed below */
static uintptr_t mmap_hint;              /* [vm_lock] no gap is known above */
static uintptr_t brk_start, brk_end;     /* [brk_lock] */
static uintptr_t image_start, image_end; /* [i] */
static uintptr_t guard_start, guard_end; /* [i] below the main stack */

static struct vm_region *to_region(struct treap_node *n)
{
	return n ? container_of(n, struct vm_region, node) : NULL;
}

struct vm_region *vm_region_next(struct vm_region *r)
{
	return to_region(r ? treap_next(&r->node) : treap_first(&regions));
}

/* The region that holds addr, or NULL. */
struct vm_region *vm_region_find(uintptr_t addr)
{
	struct vm_region *r = to_region(treap_floor(&regions, addr));

	return r && addr < r->end ? r : NULL;
}

/* The first region that ends above addr, or NULL. */
static struct vm_region *region_at_or_after(uintptr_t addr)
{
	struct vm_region *r = vm_region_find(addr);

	return r ? r : to_region(treap_ceil(&regions, addr));
}

static bool range_is_free(uintptr_t start, uintptr_t end)
{
	struct vm_region *r = region_at_or_after(start);

	return !r || r->start >= end;
}

void vm_object_put(struct vm_object *o)
{
	if (o && !__atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL))
		o->ops->release(o);
}

static void region_insert(struct vm_region *r)
{
	treap_insert(&regions, &r->node, r->start);
	nr_regions++;
}

static void region_remove(struct vm_region *r)
{
	treap_remove(&regions, &r->node);
	nr_regions--;
}

static bool can_merge(const struct vm_region *a, const struct vm_region *b)
{
	return a && b && a->end == b->start && a->flags == b->flags &&
	       !a->object && !b->object;
}

static void merge_around(struct vm_region *r)
{
	struct vm_region *prev = to_region(treap_prev(&r->node));
	struct vm_region *next = to_region(treap_next(&r->node));

	if (can_merge(r, next)) {
		r->end = next->end;
		region_remove(next);
		kfree(next);
	}
	if (can_merge(prev, r)) {
		prev->end = r->end;
		region_remove(r);
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
	region_insert(n);
	return 0;
}

int vm_split_range(uintptr_t start, uintptr_t end)
{
	int err = split_at(start);

	return err ? err : split_at(end);
}

/*
 * Take [start, end) out.  Objects that lose their last region are chained
 * through `dead` and put by the caller once vm_lock is free.
 */
struct dead_objects {
	struct vm_object *o[16];
	unsigned n;
};

static void objects_put(struct dead_objects *d)
{
	for (unsigned i = 0; i < d->n; i++)
		vm_object_put(d->o[i]);
}

/* The image stays as it was loaded: the kernel runs in it. */
static bool touches_image(uintptr_t start, uintptr_t end)
{
	return start < image_end && end > image_start;
}

/* -EAGAIN: `dead` is full; put them and come again. */
static int remove_range(uintptr_t start, uintptr_t end, struct dead_objects *d)
{
	struct vm_region *r, *next;
	int err;

	if (touches_image(start, end))
		return -EPERM;
	err = vm_split_range(start, end);
	if (err)
		return err;
	for (r = region_at_or_after(start); r && r->start < end; r = next) {
		next = vm_region_next(r);
		if (r->object && d->n == ARRAY_LEN(d->o))
			return -EAGAIN;
		if (r->object)
			d->o[d->n++] = r->object;
		pages_zap(r->start, r->end, ZAP_TABLES);
		region_remove(r);
		kfree(r);
	}
	mmap_hint = max(mmap_hint, min(end, mmap_top));
	return 0;
}

/* Nothing comes to lie in the main stack's guard of itself. */
static uintptr_t below_guard(uintptr_t end)
{
	return end > guard_start && end <= guard_end ? guard_start : end;
}

/* The highest gap of len bytes below the mmap base, or 0. */
static uintptr_t find_gap(size_t len)
{
	uintptr_t end = below_guard(mmap_hint);
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

static long place(uintptr_t addr, size_t len, unsigned flags)
{
	uintptr_t gap;

	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (addr & ~PAGE_MASK)
			return -EINVAL;
		if (addr < USER_MIN)
			return -EPERM;
		if (addr > USER_END || len > USER_END - addr)
			return -ENOMEM;
		if (flags & MAP_FIXED_NOREPLACE &&
		    !range_is_free(addr, addr + len))
			return -EEXIST;
		return (long)addr;
	}
	addr &= PAGE_MASK;
	if (addr >= USER_MIN && addr < mmap_top && len <= mmap_top - addr &&
	    range_is_free(addr, addr + len) &&
	    (addr >= guard_end || addr + len <= guard_start))
		return (long)addr;
	gap = find_gap(len);
	if (!gap) {
		mmap_hint = mmap_top;
		gap = find_gap(len);
	}
	if (gap && gap + len == below_guard(mmap_hint))
		mmap_hint = gap;
	return gap ? (long)gap : -ENOMEM;
}

/* A request that cannot possibly be met is refused at once, as Linux's
 * heuristic overcommit does; what is promised beyond that is a bet. */
static bool memory_suffices(size_t len, unsigned prot, unsigned flags)
{
	if (!(prot & PROT_WRITE) || flags & MAP_NORESERVE)
		return true;
	return len <= page_available();
}

/* Of libc.a, and there only where the program was linked with --allow-wx. */
extern const char toril_allow_wx __attribute__((weak, visibility("default")));

/* W^X: nothing is writable and executable at once. */
static bool prot_refused(unsigned prot)
{
	return (prot & (PROT_WRITE | PROT_EXEC)) == (PROT_WRITE | PROT_EXEC) &&
	       !&toril_allow_wx;
}

static int check_mmap(size_t len, unsigned prot, unsigned flags,
    struct file *file, uint64_t offset)
{
	unsigned type = flags & MAP_TYPE;

	if (!len || offset & ~PAGE_MASK)
		return -EINVAL;
	if (prot & ~(unsigned)PROT_ALL)
		return -EINVAL;
	if (type != MAP_PRIVATE && type != MAP_SHARED &&
	    type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (prot_refused(prot))
		return -EACCES;
	if (!(flags & MAP_ANONYMOUS) && !file)
		return -EBADF;
	if (len > USER_END)
		return -ENOMEM;
	if (!file && !memory_suffices(len, prot, flags))
		return -ENOMEM;
	return 0;
}

static struct vm_region *region_create(
    size_t len, unsigned prot, unsigned flags)
{
	struct vm_region *r = kzalloc(sizeof(*r));

	if (!r)
		return NULL;
	r->end = len; /* relative until it is placed */
	r->flags = prot;
	if ((flags & MAP_TYPE) != MAP_PRIVATE)
		r->flags |= VM_SHARED;
	if (flags & MAP_GROWSDOWN)
		r->flags |= VM_STACK;
	if (flags & MAP_LOCKED || vm_mlock_future())
		r->flags |= VM_MLOCK;
	return r;
}

long vm_mmap(uintptr_t addr, size_t len, unsigned prot, unsigned flags,
    struct file *file, uint64_t offset)
{
	struct dead_objects dead = {.n = 0};
	struct vm_region *r;
	bool locked;
	long at = check_mmap(len, prot, flags, file, offset);

	if (at)
		return at;
	len = ALIGN_UP(len, PAGE_SIZE);
	r = region_create(len, prot, flags);
	if (!r)
		return -ENOMEM;
	if (file && !(flags & MAP_ANONYMOUS)) {
		r->index = offset >> PAGE_SHIFT;
		at = file->ops->mmap(file, r);
		if (at) {
			kfree(r);
			return at;
		}
	} else {
		r->flags &= ~VM_SHARED; /* one process: nobody to share with */
	}
	mutex_lock(&vm_lock);
	at = nr_regions < VM_REGIONS_MAX ? place(addr, len, flags) : -ENOMEM;
	while (at >= 0 && flags & MAP_FIXED) {
		int err =
		    remove_range((uintptr_t)at, (uintptr_t)at + len, &dead);
		if (err != -EAGAIN) {
			at = err ? err : at;
			break;
		}
		mutex_unlock(&vm_lock);
		objects_put(&dead);
		dead.n = 0;
		mutex_lock(&vm_lock);
	}
	locked = r->flags & VM_MLOCK;
	if (at >= 0) {
		r->start = (uintptr_t)at;
		r->end = (uintptr_t)at + len;
		region_insert(r);
		merge_around(r);
	}
	mutex_unlock(&vm_lock);
	objects_put(&dead);
	if (at < 0) {
		vm_object_put(r->object);
		kfree(r);
		return at;
	}
	if ((flags & MAP_POPULATE || locked) && prot)
		(void)vm_populate((uintptr_t)at, len); /* best effort */
	return at;
}

/* Length in whole pages of a range that must lie in the lower half. */
static long check_range(uintptr_t addr, size_t *len)
{
	if (addr & ~PAGE_MASK)
		return -EINVAL;
	*len = ALIGN_UP(*len, PAGE_SIZE);
	if (addr > USER_END || *len > USER_END - addr)
		return -EINVAL;
	return 0;
}

long vm_munmap(uintptr_t addr, size_t len)
{
	struct dead_objects dead;
	long err = check_range(addr, &len);

	if (err || !len)
		return err ? err : -EINVAL;
	do {
		dead.n = 0;
		mutex_lock(&vm_lock);
		err = remove_range(addr, addr + len, &dead);
		mutex_unlock(&vm_lock);
		objects_put(&dead);
	} while (err == -EAGAIN);
	return err;
}

/* 0 if regions cover [start, end) without a gap. */
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

/* May all of a region's pages be given this protection? */
static bool protect_allowed(const struct vm_region *r, unsigned prot)
{
	return !(r->object && r->flags & VM_SHARED && prot & VM_WRITE) ||
	       r->flags & VM_MAY_WRITE;
}

/* As Linux does, change what comes before a hole, and then say ENOMEM. */
static long protect_locked(uintptr_t start, uintptr_t end, unsigned prot)
{
	while (start < end) {
		struct vm_region *r = vm_region_find(start);
		if (!r)
			return -ENOMEM;
		if (!protect_allowed(r, prot))
			return -EACCES;
		r->flags = (r->flags & ~(VM_READ | VM_WRITE | VM_EXEC)) | prot;
		pages_protect(r->start, r->end, prot);
		start = r->end;
		merge_around(r);
	}
	return 0;
}

long vm_mprotect(uintptr_t addr, size_t len, unsigned prot)
{
	long err = check_range(addr, &len);

	if (err || !len)
		return err;
	if (prot & ~(unsigned)PROT_ALL)
		return -EINVAL;
	if (prot_refused(prot))
		return -EACCES;
	MUTEX_GUARD(&vm_lock);
	if (touches_image(addr, addr + len))
		return -EPERM;
	err = vm_split_range(addr, addr + len);
	return err ? err : protect_locked(addr, addr + len, prot);
}

/* Grow or shrink a mapping where it is, or move it. */
static long remap_locked(uintptr_t addr, size_t old_len, size_t new_len,
    unsigned flags, uintptr_t new_addr)
{
	struct vm_region *r = vm_region_find(addr), *n;
	long at;

	if (!r || addr + old_len > r->end || touches_image(addr, r->end))
		return -EFAULT;
	if (vm_split_range(addr, addr + old_len))
		return -ENOMEM;
	r = vm_region_find(addr);
	if (!(flags & MREMAP_FIXED) &&
	    range_is_free(addr + old_len, addr + new_len) &&
	    addr + new_len <= mmap_top) {
		r->end = addr + new_len;
		merge_around(r);
		return (long)addr;
	}
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	n = kmalloc(sizeof(*n));
	at = n ? place(new_addr, new_len,
		     flags & MREMAP_FIXED ? MAP_FIXED_NOREPLACE : 0)
	       : -ENOMEM;
	if (at >= 0 && pages_move(addr, (uintptr_t)at, old_len))
		at = -ENOMEM;
	if (at < 0) {
		kfree(n);
		return at;
	}
	*n = *r;
	n->start = (uintptr_t)at;
	n->end = (uintptr_t)at + new_len;
	region_remove(r);
	kfree(r);
	region_insert(n);
	merge_around(n);
	mmap_hint = max(mmap_hint, min(addr + old_len, mmap_top));
	return at;
}

long vm_mremap(uintptr_t addr, size_t old_len, size_t new_len, unsigned flags,
    uintptr_t new_addr)
{
	long err = check_range(addr, &old_len);

	if (err || flags & ~(unsigned)(MREMAP_MAYMOVE | MREMAP_FIXED) ||
	    !new_len)
		return -EINVAL;
	if (flags & MREMAP_FIXED &&
	    (!(flags & MREMAP_MAYMOVE) || new_addr & ~PAGE_MASK))
		return -EINVAL;
	new_len = ALIGN_UP(new_len, PAGE_SIZE);
	if (!old_len || !new_len || new_len > USER_END)
		return -EINVAL;
	if (flags & MREMAP_FIXED) {
		if (new_addr < addr + old_len && addr < new_addr + new_len)
			return -EINVAL;
		err = vm_munmap(new_addr, new_len);
		if (err)
			return err;
	}
	if (new_len <= old_len && !(flags & MREMAP_FIXED)) {
		if (new_len < old_len)
			err = vm_munmap(addr + new_len, old_len - new_len);
		return err ? err : (long)addr;
	}
	if (new_len > old_len && new_len - old_len > page_available())
		return -ENOMEM;
	MUTEX_GUARD(&vm_lock);
	return remap_locked(addr, old_len, new_len, flags, new_addr);
}

static long brk_move(uintptr_t old, uintptr_t new)
{
	if (new > old)
		return vm_mmap(old, new - old, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, NULL, 0);
	return new < old ? vm_munmap(new, old - new) : 0;
}

long vm_brk(uintptr_t addr)
{
	static struct mutex brk_lock = MUTEX_INIT(brk_lock); /* brk_end */
	uintptr_t old;

	MUTEX_GUARD(&brk_lock);
	old = ALIGN_UP(brk_end, PAGE_SIZE);
	if (addr < brk_start || addr >= mmap_top)
		return (long)brk_end;
	if (brk_move(old, ALIGN_UP(addr, PAGE_SIZE)) >= 0)
		brk_end = addr;
	return (long)brk_end;
}

long vm_madvise(uintptr_t addr, size_t len, int advice)
{
	struct vm_region *r;
	long err = check_range(addr, &len);

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
	if (touches_image(addr, addr + len))
		return -EPERM;
	if (advice == MADV_DONTNEED || advice == MADV_FREE)
		for (r = region_at_or_after(addr); r && r->start < addr + len;
		     r = vm_region_next(r))
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
	for (r = region_at_or_after(*addr); r && *addr < end && r->start < end;
	     r = vm_region_next(r)) {
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

uintptr_t vm_stack_create(size_t size, uint64_t random)
{
	long at = vm_mmap(0, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_GROWSDOWN, NULL,
	    0);

	if (at < 0)
		return 0;
	guard_end = (uintptr_t)at;
	guard_start = guard_end - STACK_GUARD - (random & 0x3fff) * PAGE_SIZE;
	return (uintptr_t)at + size - (random >> 32 & 0xff0);
}

void vm_init(uintptr_t start, uintptr_t end, uint64_t random)
{
	struct vm_region *r = kzalloc(sizeof(*r));

	assert(r);
	image_start = r->start = start;
	image_end = r->end = ALIGN_UP(end, PAGE_SIZE);
	r->flags = VM_READ | VM_WRITE | VM_LOCKED;
	region_insert(r);
	mmap_top = USER_MMAP_END - (random & 0xfffffff) * PAGE_SIZE;
	mmap_hint = mmap_top;
	brk_start = brk_end =
	    r->end + (1 + (random >> 32 & 0x1fff)) * PAGE_SIZE;
}

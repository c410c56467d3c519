/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of the address space; see vm.h.  Regions are kept by vm_region.c,
 * pages are vm_fault.c's, which this file asks to zap, protect and move ranges
 * of them.
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
#include "kernel/mm/vm_region.h"

#define STACK_GUARD MIB /* as Linux's stack_guard_gap */
#define PROT_ALL    (PROT_READ | PROT_WRITE | PROT_EXEC)

struct mutex vm_lock = MUTEX_INIT(vm_lock);
static uintptr_t brk_start, brk_end;     /* [brk_lock] */
static uintptr_t image_start, image_end; /* [i] */

void vm_object_put(struct vm_object *o)
{
	if (o && !__atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL))
		o->ops->release(o);
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

bool vm_touches_image(uintptr_t start, uintptr_t end)
{
	return start < image_end && end > image_start;
}

/* -EAGAIN: `dead` is full; put them and come again. */
static int remove_range(uintptr_t start, uintptr_t end, struct dead_objects *d)
{
	struct vm_region *r, *next;
	int err;

	if (vm_touches_image(start, end))
		return -EPERM;
	err = vm_split_range(start, end);
	if (err)
		return err;
	for (r = vm_region_at_or_after(start); r && r->start < end; r = next) {
		next = vm_region_next(r);
		if (r->object && d->n == ARRAY_LEN(d->o))
			return -EAGAIN;
		if (r->object)
			d->o[d->n++] = r->object;
		pages_zap(r->start, r->end, ZAP_TABLES);
		vm_region_remove(r);
		kfree(r);
	}
	vm_room_freed(end);
	return 0;
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
	at = vm_place(addr, len, flags);
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
		vm_region_insert(r);
		vm_region_merge(r);
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

long vm_check_range(uintptr_t addr, size_t *len)
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
	long err = vm_check_range(addr, &len);

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
		vm_region_merge(r);
	}
	return 0;
}

long vm_mprotect(uintptr_t addr, size_t len, unsigned prot)
{
	long err = vm_check_range(addr, &len);

	if (err || !len)
		return err;
	if (prot & ~(unsigned)PROT_ALL)
		return -EINVAL;
	if (prot_refused(prot))
		return -EACCES;
	MUTEX_GUARD(&vm_lock);
	if (vm_touches_image(addr, addr + len))
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

	if (!r || addr + old_len > r->end || vm_touches_image(addr, r->end))
		return -EFAULT;
	if (vm_split_range(addr, addr + old_len))
		return -ENOMEM;
	r = vm_region_find(addr);
	if (!(flags & MREMAP_FIXED) &&
	    vm_range_is_free(addr + old_len, addr + new_len) &&
	    addr + new_len <= vm_top) {
		r->end = addr + new_len;
		vm_region_merge(r);
		return (long)addr;
	}
	if (!(flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	n = kmalloc(sizeof(*n));
	at = n ? vm_place(new_addr, new_len,
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
	vm_region_remove(r);
	kfree(r);
	vm_region_insert(n);
	vm_region_merge(n);
	vm_room_freed(addr + old_len);
	return at;
}

long vm_mremap(uintptr_t addr, size_t old_len, size_t new_len, unsigned flags,
    uintptr_t new_addr)
{
	long err = vm_check_range(addr, &old_len);

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
	if (addr < brk_start || addr >= vm_top)
		return (long)brk_end;
	if (brk_move(old, ALIGN_UP(addr, PAGE_SIZE)) >= 0)
		brk_end = addr;
	return (long)brk_end;
}

uintptr_t vm_stack_create(size_t size, uint64_t random)
{
	long at = vm_mmap(0, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_GROWSDOWN, NULL,
	    0);

	if (at < 0)
		return 0;
	vm_room_guard(
	    (uintptr_t)at - STACK_GUARD - (random & 0x3fff) * PAGE_SIZE,
	    (uintptr_t)at);
	return (uintptr_t)at + size - (random >> 32 & 0xff0);
}

void vm_init(uintptr_t start, uintptr_t end, uint64_t random)
{
	struct vm_region *r = kzalloc(sizeof(*r));

	assert(r);
	image_start = r->start = start;
	image_end = r->end = ALIGN_UP(end, PAGE_SIZE);
	r->flags = VM_READ | VM_WRITE | VM_LOCKED;
	vm_region_insert(r);
	vm_room_init(USER_MMAP_END - (random & 0xfffffff) * PAGE_SIZE);
	brk_start = brk_end =
	    r->end + (1 + (random >> 32 & 0x1fff)) * PAGE_SIZE;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program's address space: regions, and the pages in them.
 *
 * Regions do not overlap; adjacent anonymous ones that agree are merged.
 * Pages come on demand: zero pages for anonymous regions, an object's pages
 * for mapped files.  vm_lock (a mutex) covers the regions and the lower half
 * of the page tables; it is not held while an object reads a page.
 *
 * Calls that change mappings return 0 or an address, or -errno as the Linux
 * call of the same name does.
 */
#ifndef TORIL_KERNEL_MM_VM_H
#define TORIL_KERNEL_MM_VM_H

#include "kernel/lib/treap.h"
#include "kernel/mm/page.h"
#include "kernel/sched/mutex.h"

#define VM_READ      1u /* = PROT_READ, PROT_WRITE, PROT_EXEC */
#define VM_WRITE     2u
#define VM_EXEC      4u
#define VM_SHARED    8u /* writes go to the object */
#define VM_LOCKED    16u
#define VM_STACK     32u
#define VM_MAY_WRITE 64u  /* a shared mapping of a file open for writing */
#define VM_MLOCK     128u /* by mlock(2) */

#define VM_REGIONS_MAX 65530 /* Linux's vm.max_map_count */

struct vm_object;

struct vm_object_ops {
	/* The page at index (file offset / PAGE_SIZE), with a reference.
	 * -EIO and the like; -ERANGE beyond the end (SIGBUS).  May sleep. */
	int (*page_get)(struct vm_object *o, uint64_t index, struct page **p);
	/* A shared page is about to be written through a mapping: remember to
	 * write it back.  May not sleep. */
	void (*page_dirty)(struct vm_object *o, uint64_t index);
	/* Write back what was dirtied in [index, index + n).  May sleep. */
	int (*sync)(struct vm_object *o, uint64_t index, uint64_t n);
	/* The last reference is gone.  May sleep. */
	void (*release)(struct vm_object *o);
};

struct vm_object {
	const struct vm_object_ops *ops;
	uint32_t refs; /* [a] */
	uint32_t zaps; /* [vm_lock] counts vm_object_zap */
};

struct vm_region {
	struct treap_node node; /* key = start */
	uintptr_t start, end;
	unsigned flags;           /* VM_* */
	struct vm_object *object; /* or NULL: anonymous */
	uint64_t index;           /* of the object's page at start */
};

struct file;

/* mmap with Linux's PROT_* in `prot` and MAP_* in `flags`; file has a
 * reference of the caller's or is NULL. */
long vm_mmap(uintptr_t addr, size_t len, unsigned prot, unsigned flags,
    struct file *file, uint64_t offset);
long vm_munmap(uintptr_t addr, size_t len);
long vm_mprotect(uintptr_t addr, size_t len, unsigned prot);
long vm_mremap(uintptr_t addr, size_t old_len, size_t new_len, unsigned flags,
    uintptr_t new_addr);
long vm_brk(uintptr_t addr);
long vm_madvise(uintptr_t addr, size_t len, int advice);
long vm_msync(uintptr_t addr, size_t len, int flags);
long vm_mincore(uintptr_t addr, size_t len, uint8_t *vec);
long vm_populate(uintptr_t addr, size_t len);

/* mlock and munlock: mark the pages of the range, and have them present with
 * `populate`.  -ENOMEM.  mlockall with MCL_*; 0 unlocks all. */
long vm_mlock(uintptr_t addr, size_t len, bool lock, bool populate);
void vm_mlockall(unsigned flags);

/*
 * Make the page at addr accessible; access is VM_READ, VM_WRITE or VM_EXEC.
 * 0, -EFAULT (no region), -EACCES (protection), -ENOMEM, -EIO (object).
 * May sleep; no lock may be held.
 */
int vm_fault(uintptr_t addr, unsigned access);

/* Physical address behind va if a page is there and writable where asked;
 * 0 if not.  vm_lock held. */
paddr_t vm_translate_locked(uintptr_t va, bool write);

/* Copy from va without faulting anything in: for reports.  0 or -EFAULT. */
int vm_peek(void *dst, uintptr_t va, size_t n);

/* For each region in order, with vm_lock held: /proc/self/maps. */
struct vm_region *vm_region_next(struct vm_region *r); /* NULL: the first */

void vm_object_put(struct vm_object *o);

/* The object's pages first..last have gone, or are others now: drop them
 * wherever they are mapped, with `copies` a private mapping's copies too.
 * May sleep; vm_lock not held. */
void vm_object_zap(
    struct vm_object *o, uint64_t first, uint64_t last, bool copies);

/* A kernel stack's top, or 0; stacks are cached. */
uintptr_t kstack_alloc(void);
void kstack_free(uintptr_t top);

/* Boot: the image's own region, the heap behind it, the mmap base. */
void vm_init(uintptr_t image_start, uintptr_t image_end, uint64_t random);
/* The main stack, once, and below it an unmapped guard of random size: mappings
 * don't lie at a known distance.  Where it begins, near its top, or 0. */
uintptr_t vm_stack_create(size_t size, uint64_t random);
extern struct mutex vm_lock;

#endif

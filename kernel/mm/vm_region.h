/* SPDX-License-Identifier: BSD-2-Clause */
/* Regions among themselves: vm_region.c, for vm*.c.  vm_lock is held. */
#ifndef TORIL_KERNEL_MM_VM_REGION_H
#define TORIL_KERNEL_MM_VM_REGION_H

#include "kernel/lib/base.h"

struct vm_region;

extern uintptr_t vm_top; /* mappings are placed below */

/* The region that holds addr, or NULL; or else the first one above it. */
struct vm_region *vm_region_find(uintptr_t addr);
struct vm_region *vm_region_at_or_after(uintptr_t addr);

/* Into the tree, by its start; out of it; and make it one with neighbours that
 * agree, so that r itself may be gone. */
void vm_region_insert(struct vm_region *r);
void vm_region_remove(struct vm_region *r);
void vm_region_merge(struct vm_region *r);

/* Make both ends borders between regions; -ENOMEM. */
int vm_split_range(uintptr_t start, uintptr_t end);

/* Whether there are regions all the way: 0 or -ENOMEM; or none at all. */
long vm_check_covered(uintptr_t start, uintptr_t end);
bool vm_range_is_free(uintptr_t start, uintptr_t end);

/* Where mmap(2) with these MAP_* puts a region of len bytes, or -errno. */
long vm_place(uintptr_t addr, size_t len, unsigned flags);

/* There is room again below `end`. */
void vm_room_freed(uintptr_t end);

/* At the start: nothing lies above `top`, nor, of itself, in the main stack's
 * guard. */
void vm_room_init(uintptr_t top);
void vm_room_guard(uintptr_t start, uintptr_t end);

/* vm.c: the image, which stays as it was loaded since the kernel runs in it;
 * and *len in whole pages, 0 if such a range lies in the lower half or -EINVAL.
 */
bool vm_touches_image(uintptr_t start, uintptr_t end);
long vm_check_range(uintptr_t addr, size_t *len);

#endif

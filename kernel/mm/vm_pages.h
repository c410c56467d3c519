/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of regions: what vm.c asks of vm_fault.c.  vm_lock is held. */
#ifndef TORIL_KERNEL_MM_VM_PAGES_H
#define TORIL_KERNEL_MM_VM_PAGES_H

#include "kernel/lib/base.h"

enum zap {
	ZAP_PAGES,
	ZAP_TABLES, /* and the page tables that only served this range */
	ZAP_OBJECT, /* only pages that are the object's, not copies of them */
};

/* Drop the pages of [start, end). */
void pages_zap(uintptr_t start, uintptr_t end, enum zap how);

/* Apply VM_READ/WRITE/EXEC to pages that are there already. */
void pages_protect(uintptr_t start, uintptr_t end, unsigned prot);

/* Move pages to another place; -ENOMEM, and then nothing has moved. */
int pages_move(uintptr_t from, uintptr_t to, size_t len);

/* vm_mlock.c: new mappings are locked; some page of the range is. */
bool vm_mlock_future(void);
bool vm_any_locked(uintptr_t start, uintptr_t end);

#endif

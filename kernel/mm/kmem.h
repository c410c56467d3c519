/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel objects: slabs of size classes up to 2 KiB, whole blocks of pages
 * above (2 MiB at most).  None of these sleeps; all return NULL when memory
 * is short.  Not for interrupt handlers.
 */
#ifndef TORIL_KERNEL_MM_KMEM_H
#define TORIL_KERNEL_MM_KMEM_H

#include "kernel/lib/base.h"

void *kmalloc(size_t size) __attribute__((malloc));
void *kzalloc(size_t size) __attribute__((malloc));
void kfree(void *p); /* NULL is fine */

/* As realloc, for arrays that grow. */
void *krealloc(void *p, size_t size);

/* What kmalloc really gave for p, in bytes. */
size_t kmem_size(const void *p);

/* Give back what this CPU keeps of free objects, each of which may hold a
 * page; false if it kept none.  page.c asks when memory is short. */
bool kmem_drain(void);

/* The size in bytes of objects of class `c`, and how many are in use, a hint
 * while others allocate; 0 if there is no such class. */
unsigned kmem_class(unsigned c, size_t *live);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Freed memory in a debug build: filled with a pattern that must still be
 * there when it is handed out again.  Nothing in an ordinary build.
 */
#ifndef TORIL_KERNEL_MM_POISON_H
#define TORIL_KERNEL_MM_POISON_H

#include "kernel/lib/base.h"

#ifdef TORIL_DEBUG

/* An object of n bytes is freed: panics if it already is.  `skip`: bytes at
 * its start that the allocator uses meanwhile. */
void poison_free(void *p, size_t n, size_t skip);

/* It is handed out: panics if somebody has written to it; then filled with
 * another pattern. */
void poison_alloc(void *p, size_t n, size_t skip);

/* The same for pages, which may also be all zero, never having been used. */
void poison_page_free(void *p, size_t n);
void poison_page_alloc(const void *p, size_t n);

/* Memory that was never handed out. */
void poison_fill(void *p, size_t n);

/* A kernel stack is about to be used; is free again: panics if hardly
 * anything was left of it. */
void poison_stack(uintptr_t top, size_t size);
void poison_stack_check(uintptr_t top, size_t size);

#else

#define poison_free(p, n, skip)       ((void)0)
#define poison_alloc(p, n, skip)      ((void)0)
#define poison_page_free(p, n)        ((void)0)
#define poison_page_alloc(p, n)       ((void)0)
#define poison_fill(p, n)             ((void)0)
#define poison_stack(top, size)       ((void)0)
#define poison_stack_check(top, size) ((void)0)

#endif
#endif

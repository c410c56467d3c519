/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C string functions that the kernel uses.  They are libc's own: musl's
 * string folder is compiled without vector registers for that reason.
 */
#ifndef TORIL_KERNEL_LIB_STRING_H
#define TORIL_KERNEL_LIB_STRING_H

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel command line: words separated by blanks, NAME or NAME=VALUE. */
#ifndef TORIL_KERNEL_LIB_CMDLINE_H
#define TORIL_KERNEL_LIB_CMDLINE_H

#include "kernel/lib/base.h"

/* Find the next NAME=VALUE or NAME after *pos (NULL: from the start); the
 * value's start, or "" for a bare NAME, or NULL if there is none. */
const char *cmdline_next(const char *line, const char *name, const char **pos);

/* Parse an unsigned number, decimal or 0x hexadecimal, up to one of the
 * characters in `ends` or the end of the word.  False if malformed. */
bool cmdline_number(const char **p, const char *ends, uint64_t *value);

/* A virtio_mmio.device=SIZE@BASE:IRQ entry (Linux's kernel-parameters). */
struct cmdline_device {
	uint64_t size, base;
	unsigned irq;
};
bool cmdline_device_parse(const char *value, struct cmdline_device *d);

#endif

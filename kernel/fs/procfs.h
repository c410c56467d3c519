/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc: a table of directories, links and files whose text is written when
 * they are opened.  procfs.c is the file system; posix/proc*.c says what is
 * in it.
 */
#ifndef TORIL_KERNEL_FS_PROCFS_H
#define TORIL_KERNEL_FS_PROCFS_H

#include "kernel/lib/base.h"

struct file;
struct proc_text;

/* Append to a file's text; too much makes it grow, which the caller does not
 * notice. */
void proc_add(struct proc_text *t, const char *fmt, ...) printf_like(2, 3);
void proc_add_bytes(struct proc_text *t, const void *s, size_t n);

struct proc_node {
	const char *name;
	unsigned parent; /* its row */
	uint32_t mode;   /* with its type; a directory without rows below has
			  * the open descriptors as links */
	union {
		void (*write)(struct proc_text *t);    /* a file */
		int (*target)(char *buf, size_t size); /* a link: its length */
	};
};

/* Row 0 is the root.  In posix/proc.c. */
extern const struct proc_node proc_nodes[];
extern const unsigned proc_nr_nodes;
extern const unsigned proc_fd_row;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts of /proc's files, by folder: proc.c has the table. */
#ifndef TORIL_POSIX_PROC_H
#define TORIL_POSIX_PROC_H

#include "kernel/fs/procfs.h"

#define PROC_TICKS 100 /* per second, in what /proc shows */

/* Kept where they are: the lines of one file each. */
void proc_write_limits(struct proc_text *t); /* limits.c */
void proc_write_ids(struct proc_text *t);    /* creds.c, of status */

/* proc_self.c */
void proc_write_status(struct proc_text *t);
void proc_write_stat(struct proc_text *t);
void proc_write_statm(struct proc_text *t);
void proc_write_maps(struct proc_text *t);
void proc_write_cmdline(struct proc_text *t);
void proc_write_environ(struct proc_text *t);
void proc_write_comm(struct proc_text *t);

/* proc_init.c: process 1 */
void proc_write_init_status(struct proc_text *t);
void proc_write_init_stat(struct proc_text *t);
void proc_write_init_cmdline(struct proc_text *t);
void proc_write_init_comm(struct proc_text *t);

/* proc_objects.c */
void proc_write_objects(struct proc_text *t);

#endif

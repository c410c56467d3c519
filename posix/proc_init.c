/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/1: what the init that the kernel stands for looks like; proc(5).
 * It sleeps, and has no memory of its own, as a kernel thread has none.
 */
#include "posix/proc.h"

void proc_write_init_comm(struct proc_text *t)
{
	proc_add(t, "init\n");
}

void proc_write_init_cmdline(struct proc_text *t)
{
	proc_add_bytes(t, "init", 5);
}

void proc_write_init_status(struct proc_text *t)
{
	proc_add(t, "Name:\tinit\nState:\tS (sleeping)\nTgid:\t1\nNgid:\t0\n"
		    "Pid:\t1\nPPid:\t0\nTracerPid:\t0\n"
		    "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"
		    "FDSize:\t0\nGroups:\t \nThreads:\t1\n");
}

/* Fields 1 to 52 of proc(5). */
void proc_write_init_stat(struct proc_text *t)
{
	proc_add(t, "1 (init) S 0 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 ");
	proc_add(t, "0 0 0 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 ");
	proc_add(t, "17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
}

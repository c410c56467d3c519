/* SPDX-License-Identifier: BSD-2-Clause */
/* The one process: its number, and how it ends. */
#ifndef TORIL_KERNEL_SCHED_PROCESS_H
#define TORIL_KERNEL_SCHED_PROCESS_H

#include "kernel/lib/base.h"

/*
 * The program is process 2, the leader of its session and group; its first
 * thread has that number too.  Process 1, its parent, is init as far as
 * anyone can tell: root's, without a handler for any signal, always asleep.
 */
enum { PROCESS_INIT = 1, PROCESS_PID = 2 };

struct fault_info;
struct trap_frame;

/* End the VM with exit(status)'s status, or as killed by a signal.  The
 * launcher is told once all output is under way. */
noreturn void process_exit(int status);
noreturn void process_exit_signal(int signo);

/* Registers and a backtrace of a program that faulted. */
void process_report_fault(
    const struct trap_frame *f, const struct fault_info *fault);

#endif

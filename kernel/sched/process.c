/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the process; see process.h. */
#include "kernel/sched/process.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/control/control.h"
#include "kernel/lib/printk.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/thread.h"

noreturn void process_exit(int status)
{
	signal_stop_others();
	control_exit(status & 0xff, 0);
}

noreturn void process_exit_signal(int signo)
{
	signal_stop_others();
	control_exit(128 + signo, signo);
}

void process_report_fault(
    const struct trap_frame *f, const struct fault_info *fault)
{
	printk("toril: %s at address %#lx\n", fault->what, fault->addr);
	trap_print(f);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame on the program's stack that a signal handler runs from. */
#ifndef TORIL_KERNEL_SCHED_SIGNAL_FRAME_H
#define TORIL_KERNEL_SCHED_SIGNAL_FRAME_H

#include "kernel/lib/base.h"

struct signal_action;
struct signal_info;
struct trap_frame;

/* Save the state in f on the program's stack and make f enter the handler.
 * `mask` is what rt_sigreturn will restore.  -EFAULT if the stack is bad. */
int signal_frame_push(struct trap_frame *f, const struct signal_info *info,
    const struct signal_action *act, uint64_t mask);

/* From a kernel call: the program runs on its alternate signal stack. */
bool signal_on_altstack(void);

#endif

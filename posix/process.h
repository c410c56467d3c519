/* SPDX-License-Identifier: BSD-2-Clause */
/* Process 1, as far as posix/ has to know it; kernel/sched/process.h. */
#ifndef TORIL_POSIX_PROCESS_H
#define TORIL_POSIX_PROCESS_H

#include "kernel/lib/base.h"

/* Whether the program may change what is root's: as root, or with this
 * capability, CAP_*.  Does not sleep. */
bool process_may_touch_init(unsigned cap);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel has of each kind, to see whether it leaks. */
#ifndef TORIL_KERNEL_CONTROL_OBJECTS_H
#define TORIL_KERNEL_CONTROL_OBJECTS_H

#include "kernel/lib/base.h"

/* Call `show` for each kind; numbers are of one moment each, not all of the
 * same.  Does not sleep, unless `show` does. */
void objects_each(
    void (*show)(void *arg, const char *name, uint64_t number), void *arg);

/* Print them on the UART every `seconds` from now on, in a thread of the
 * kernel; for toril.objects=SECONDS.  0 or -ENOMEM. */
int objects_watch(unsigned seconds);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Resource limits as other calls need them. */
#ifndef TORIL_POSIX_LIMITS_H
#define TORIL_POSIX_LIMITS_H

#include "kernel/lib/base.h"

/* The soft limit RLIMIT_`which`; UINT64_MAX is none.  May sleep. */
uint64_t limit_soft(unsigned which);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What uname(2) and /proc call this kernel. */
#ifndef TORIL_POSIX_VERSION_H
#define TORIL_POSIX_VERSION_H

#define KERNEL_RELEASE "6.1.0-toril" /* the Linux whose calls these are */
#define KERNEL_VERSION "Toril " TORIL_VERSION

#endif

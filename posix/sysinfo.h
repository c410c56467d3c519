/* SPDX-License-Identifier: BSD-2-Clause */
/* The system's name, settable by the launcher before the program starts. */
#ifndef TORIL_POSIX_SYSINFO_H
#define TORIL_POSIX_SYSINFO_H

extern char sysinfo_hostname[65];

#endif

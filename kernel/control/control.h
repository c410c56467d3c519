/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's side of the control channel (wire.h): configuration at boot,
 * signals and lost shares at run time, the exit status at the end.
 * Without a launcher (no toril.ctl= on the command line) the console is the
 * UART, output only, and the status goes to the debug-exit device.
 */
#ifndef TORIL_KERNEL_CONTROL_CONTROL_H
#define TORIL_KERNEL_CONTROL_CONTROL_H

#include "kernel/lib/base.h"

/* What the program starts with. */
struct control_config {
	char **argv, **envp; /* NULL-terminated; kernel memory */
	unsigned argc, envc;
};
extern struct control_config control_config;

/* The machine's name, for uname. */
extern char control_hostname[65];

/* Connect and take the configuration; mounts the shares, installs
 * descriptors 0, 1 and 2.  Where the command line names no launcher, output
 * is the UART's, and the line is cut up into what is behind "--", and kept:
 * the program's arguments.  0 or -errno.  May sleep. */
int control_start(char *cmdline);

/* Send a message of at most 64 bytes; may sleep.  Nothing without launcher. */
void control_send(unsigned type, const void *data, size_t n);

/* main() is about to run. */
void control_started(void);

/* The program listens on a TCP port. */
void control_listening(uint16_t port);

/* Tell the launcher and idle for ever; signo 0 for a normal exit. */
noreturn void control_exit(int status, int signo);

#endif

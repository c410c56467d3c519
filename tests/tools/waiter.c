/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A service: prints "ready", then each argument as a line, and waits for a
 * signal.  Its first argument is "wait", "deaf" (SIGTERM is ignored), or the
 * exit status with which it ends at once.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "wait";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(how, "deaf"))
		signal(SIGTERM, SIG_IGN);
	puts("ready");
	for (int i = 2; i < argc; i++)
		puts(argv[i]);
	if (*how >= '0' && *how <= '9')
		return atoi(how);
	for (;;)
		pause();
}

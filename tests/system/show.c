/* SPDX-License-Identifier: BSD-2-Clause */
/* Show what reached main: "args" and "env" with a NUL behind each, "cwd"; or
 * "wait" for a signal. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static void show(char **strings)
{
	for (; *strings; strings++)
		fwrite(*strings, 1, strlen(*strings) + 1, stdout);
}

int main(int argc, char **argv)
{
	char cwd[4096];

	if (argc < 2)
		return 2;
	if (!strcmp(argv[1], "args"))
		show(argv + 2);
	if (!strcmp(argv[1], "env"))
		show(environ);
	if (!strcmp(argv[1], "cwd"))
		puts(getcwd(cwd, sizeof(cwd)));
	if (!strcmp(argv[1], "wait")) {
		puts("waiting");
		fflush(stdout);
		for (;;)
			pause();
	}
	return 0;
}

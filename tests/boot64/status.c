/* SPDX-License-Identifier: BSD-2-Clause */
/* Copy the first file to the second, and end with status 7. */
#include <stdio.h>

int main(int argc, char **argv)
{
	FILE *from = argc == 3 ? fopen(argv[1], "r") : NULL;
	FILE *to = from ? fopen(argv[2], "w") : NULL;
	int c;

	if (!to) {
		perror("open");
		return 1;
	}
	while ((c = getc(from)) != EOF)
		putc(c, to);
	return fclose(to) || ferror(from) ? 1 : 7;
}

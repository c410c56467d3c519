/* SPDX-License-Identifier: BSD-2-Clause */
/* stdio both ways: getline, ungetc, large puts.
 * stdin: 300000 */
#include "tests/posix/check.h"

int main(void)
{
	char *line = NULL;
	size_t room = 0, lines = 0, bytes = 0;
	ssize_t n;
	int c = getchar();

	CHECK(c != EOF && ungetc(c, stdin) == c);
	while ((n = getline(&line, &room, stdin)) > 0) {
		lines++;
		bytes += (size_t)n;
		CHECK(fwrite(line, 1, (size_t)n, stdout) == (size_t)n);
	}
	CHECK(feof(stdin) && !ferror(stdin));
	CHECK(bytes == 300000);
	printf("\n%zu lines\n", lines);
	free(line);
	return 0;
}

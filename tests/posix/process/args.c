/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments and environment arrive byte for byte.
 * args: one  'quoted' "double" $HOME *.c ünïcödé a=b -- */
#include "tests/posix/check.h"

int main(int argc, char **argv, char **envp)
{
	CHECK(argc > 2 && argv[argc] == NULL);
	for (int i = 2; i < argc; i++)
		printf("%d: [%s]\n", i, argv[i]);
	CHECK(envp);
	CHECK(setenv("TORIL_TEST", "a b=c", 1) == 0);
	printf("%s\n", getenv("TORIL_TEST"));
	CHECK(unsetenv("TORIL_TEST") == 0);
	CHECK(!getenv("TORIL_TEST"));
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks the host for NUMBER names in DIR that it does not have: a request, and
 * an interrupt, each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	char path[256];
	struct stat st;
	int found = 0;

	if (argc < 3)
		return 2;
	for (int i = 0; i < atoi(argv[2]); i++) {
		snprintf(path, sizeof(path), "%s/nothing-%d", argv[1], i);
		found += !stat(path, &st);
	}
	printf("%d found\n", found);
	return found != 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* malloc until NULL, touching everything: no crash.
 * toril only: Linux overcommits.
 * options: -m 16M */
#include "tests/posix/check.h"

struct node {
	struct node *next;
	char data[5000];
};

int main(void)
{
	for (int round = 0; round < 3; round++) {
		struct node *all = NULL, *n;
		long count = 0;
		while ((n = malloc(sizeof(*n)))) {
			memset(n->data, 1, sizeof(n->data));
			n->next = all;
			all = n;
			count++;
		}
		CHECK(errno == ENOMEM && count > 1000);
		while (all) {
			n = all->next;
			free(all);
			all = n;
		}
	}
	puts("still here");
	return 0;
}

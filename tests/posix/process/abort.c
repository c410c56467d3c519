/* SPDX-License-Identifier: BSD-2-Clause */
/* expect: signal 6 */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	puts("flushed before");
	fflush(stdout);
	abort();
}

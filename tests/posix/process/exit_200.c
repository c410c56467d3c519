/* SPDX-License-Identifier: BSD-2-Clause */
/* expect: exit 200 */
#include <stdlib.h>

int main(void)
{
	exit(200);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* expect: signal 15 */
#include <signal.h>
#include <unistd.h>

int main(void)
{
	kill(getpid(), SIGTERM);
	for (;;)
		pause();
}

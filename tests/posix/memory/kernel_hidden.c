/* SPDX-License-Identifier: BSD-2-Clause */
/* Bad addresses of all kinds fault as the program's own mistake. */
#include <setjmp.h>
#include <signal.h>
#include "tests/posix/check.h"

static sigjmp_buf back;
static volatile int sig_got;

static void on_fault(int sig)
{
	sig_got = sig;
	siglongjmp(back, 1);
}

int main(void)
{
	static const unsigned long bad[] = {0, 8, 0xfff, 0xffff,
	    0x0000080000000000, 0x00007ffffffff000, 0x0000800000000000,
	    0x1234567890abcdef, 0xffff7fffffffffff};

	CHECK(signal(SIGSEGV, on_fault) == SIG_DFL);
	CHECK(signal(SIGBUS, on_fault) == SIG_DFL);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		sig_got = 0;
		if (!sigsetjmp(back, 1))
			*(volatile char *)bad[i] = 1;
		CHECK(sig_got == SIGSEGV);
	}
	return 0;
}

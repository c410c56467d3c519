/* SPDX-License-Identifier: BSD-2-Clause */
/* Nothing is both writable and executable.
 * toril only: Linux allows it. */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include "tests/posix/check.h"

static sigjmp_buf back;

static void on_segv(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

int main(void)
{
	static char data[16] = {(char)0xc3};
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int ran = 0;

	CHECK(p != MAP_FAILED);
	CHECK_ERR(
	    mprotect(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), EACCES);
	CHECK_ERR((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	    EACCES);
	CHECK(signal(SIGSEGV, on_segv) == SIG_DFL);
	p[0] = (char)0xc3; /* ret */
	if (!sigsetjmp(back, 1)) {
		((void (*)(void))(unsigned long)p)();
		ran = 1;
	}
	CHECK(!ran);
	if (!sigsetjmp(back, 1)) {
		((void (*)(void))(unsigned long)data)();
		ran = 1;
	}
	CHECK(!ran);
	/* First written, then executed, is what a compiler does. */
	CHECK(!mprotect(p, 4096, PROT_READ | PROT_EXEC));
	((void (*)(void))(unsigned long)p)();
	return 0;
}

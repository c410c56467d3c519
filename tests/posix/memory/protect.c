/* SPDX-License-Identifier: BSD-2-Clause */
/* mprotect on parts; PROT_NONE and read-only fault, and only they. */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include "tests/posix/check.h"

#define PAGE 4096

static sigjmp_buf back;

static void on_segv(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static int can_read(const char *p)
{
	if (sigsetjmp(back, 1))
		return 0;
	(void)*(const volatile char *)p;
	return 1;
}

static int can_write(char *p)
{
	if (sigsetjmp(back, 1))
		return 0;
	*(volatile char *)p = 7;
	return 1;
}

int main(void)
{
	char *p = mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && signal(SIGSEGV, on_segv) == SIG_DFL);
	memset(p, 1, 10 * PAGE);
	CHECK(!mprotect(p + 2 * PAGE, 2 * PAGE, PROT_READ));
	CHECK(!mprotect(p + 6 * PAGE, PAGE, PROT_NONE));
	for (int i = 0; i < 10; i++) {
		int ro = i == 2 || i == 3, none = i == 6;
		CHECK(can_read(p + i * PAGE) == !none);
		CHECK(can_write(p + i * PAGE) == !(ro || none));
	}
	CHECK(!mprotect(p, 10 * PAGE, PROT_READ | PROT_WRITE));
	for (int i = 0; i < 10; i++)
		CHECK(p[i * PAGE + 1] == 1 && can_write(p + i * PAGE));
	CHECK(!munmap(p + 5 * PAGE, PAGE));
	CHECK(!can_read(p + 5 * PAGE) && can_read(p + 4 * PAGE));
	CHECK_ERR(mprotect(p, 10 * PAGE, PROT_READ), ENOMEM);
	CHECK(!can_write((char *)(void *)(unsigned long)main));
	CHECK(!can_write((char *)"a literal"));
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that mean nothing are ENOSYS; a raw syscall instruction works. */
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/posix/check.h"

static long raw_getpid(void)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(SYS_getpid)
			 : "rcx", "r11", "memory");
	return ret;
}

int main(void)
{
	volatile long number = SYS_getpid;

	CHECK_ERR(syscall(3999), ENOSYS);
	CHECK(syscall(number) == getpid());
	CHECK(raw_getpid() == getpid());
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* sbrk's heap, madvise, mlock, realloc through all sizes. */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/posix/check.h"

int main(void)
{
	/* musl's sbrk refuses: the call itself */
	char *at = (char *)syscall(SYS_brk, 0), *p = NULL;
	size_t n;

	CHECK((char *)syscall(SYS_brk, at + 100000) == at + 100000);
	memset(at, 3, 100000);
	CHECK((char *)syscall(SYS_brk, at) == at);
	CHECK((char *)syscall(SYS_brk, at + 4096) == at + 4096);
	CHECK((char *)syscall(SYS_brk, at) == at);
	p = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	memset(p, 5, 65536);
	CHECK(!madvise(p + 4096, 8192, MADV_DONTNEED));
	CHECK(p[0] == 5 && p[4096] == 0 && p[12287] == 0 && p[12288] == 5);
	CHECK(!madvise(p, 65536, MADV_WILLNEED));
	CHECK_ERR(madvise(p + 1, 4096, MADV_DONTNEED), EINVAL);
	CHECK(!munmap(p, 65536));
	p = NULL;
	for (n = 1; n < 20u << 20; n += n / 3 + 1) {
		p = realloc(p, n);
		CHECK(p);
		p[n - 1] = (char)n;
		if (n > 1)
			p[0] = 'a';
	}
	CHECK(p[0] == 'a');
	free(p);
	CHECK(posix_memalign((void **)&p, 65536, 10) == 0);
	CHECK(((unsigned long)p & 65535) == 0);
	free(p);
	p = calloc(1000, 1000);
	CHECK(p && !p[0] && !p[999999]);
	free(p);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults as signals: codes and addresses; the handler may mend and return. */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "tests/posix/check.h"

static sigjmp_buf back;
static volatile int sig_got, code_got;
static void *volatile addr_got;
static char *page;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	sig_got = sig;
	code_got = info->si_code;
	addr_got = info->si_addr;
	siglongjmp(back, 1);
}

static void mend(int sig, siginfo_t *info, void *context)
{
	(void)context;
	CHECK(sig == SIGSEGV && info->si_addr == page + 100);
	CHECK(!mprotect(page, 4096, PROT_READ | PROT_WRITE));
}

static void skip(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)info;
	CHECK(sig == SIGILL);
	uc->uc_mcontext.gregs[REG_RIP] += 2; /* ud2 */
	uc->uc_mcontext.gregs[REG_RAX] = 77;
}

int main(void)
{
	struct sigaction act = {
	    .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	volatile int zero = 0, one = 1;
	long rax = 1;

	CHECK(
	    !sigaction(SIGFPE, &act, NULL) && !sigaction(SIGSEGV, &act, NULL));
	if (!sigsetjmp(back, 1))
		zero = one / zero;
	CHECK(sig_got == SIGFPE && code_got == FPE_INTDIV);
	if (!sigsetjmp(back, 1))
		zero = *(volatile int *)0x4000;
	CHECK(sig_got == SIGSEGV && code_got == SEGV_MAPERR);
	CHECK(addr_got == (void *)0x4000);
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	if (!sigsetjmp(back, 1))
		*(volatile char *)page = 1;
	CHECK(code_got == SEGV_ACCERR && addr_got == page);
	act.sa_sigaction = mend;
	CHECK(!sigaction(SIGSEGV, &act, NULL));
	*(volatile char *)(page + 100) = 5;
	CHECK(page[100] == 5);
	act.sa_sigaction = skip;
	CHECK(!sigaction(SIGILL, &act, NULL));
	__asm__ volatile("ud2" : "+a"(rax));
	CHECK(rax == 77);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A handler on its own stack, which a stack overflow needs; siglongjmp. */
#include <setjmp.h>
#include <signal.h>
#include "tests/posix/check.h"

static char stack[65536];
static sigjmp_buf back;
static volatile int depth;
static void *volatile fault_at;

static void on_segv(int sig, siginfo_t *info, void *context)
{
	stack_t ss;
	char here;

	(void)context;
	CHECK(sig == SIGSEGV);
	CHECK(!sigaltstack(NULL, &ss) && ss.ss_flags == SS_ONSTACK);
	ss.ss_flags = 0;
	CHECK_ERR(sigaltstack(&ss, NULL), EPERM);
	CHECK(&here > stack && &here < stack + sizeof(stack));
	fault_at = info->si_addr;
	siglongjmp(back, 1);
}

static __attribute__((noinline)) int dive(const char *from)
{
	char here[1000];

	memset(here, from[0] + depth++, sizeof(here));
	return dive(here) + here[depth % 1000];
}

int main(void)
{
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)}, old;
	struct sigaction act = {
	    .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	CHECK(!sigaltstack(&ss, NULL));
	CHECK(!sigaltstack(NULL, &old) && old.ss_sp == stack);
	CHECK(old.ss_flags == 0);
	CHECK(!sigaction(SIGSEGV, &act, NULL));
	for (int i = 0; i < 3; i++) {
		depth = 0;
		if (!sigsetjmp(back, 1))
			dive("a");
		CHECK(depth > 10 && fault_at);
	}
	if (!sigsetjmp(back, 1))
		*(volatile int *)0x1234 = 1;
	CHECK(fault_at == (void *)0x1234);
	ss.ss_flags = SS_DISABLE;
	CHECK(!sigaltstack(&ss, NULL));
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* setjmp, alloca, variable arguments, floating environment, wide sums. */
#include <alloca.h>
#include <fenv.h>
#include <setjmp.h>
#include <stdarg.h>
#include "tests/posix/check.h"

static jmp_buf env;

static double sum(int n, ...)
{
	va_list ap;
	double total = 0;

	va_start(ap, n);
	while (n--)
		total += va_arg(ap, double);
	va_end(ap);
	return total;
}

static void jump(int depth)
{
	char *p = alloca(100 + (size_t)depth);

	memset(p, depth, 100);
	if (depth == 20)
		longjmp(env, 5);
	jump(depth + 1);
}

int main(void)
{
	volatile double x = 1, y = 3;
	volatile int kept = 12;
	double down, up;
	int n = setjmp(env);

	if (!n)
		jump(0);
	CHECK(n == 5 && kept == 12);
	printf("%g\n", sum(10, 1., 2., 3., 4., 5., 6., 7., 8., 9., 10.));
	CHECK(!fesetround(FE_DOWNWARD));
	down = x / y;
	CHECK(!fesetround(FE_UPWARD));
	up = x / y;
	CHECK(!fesetround(FE_TONEAREST) && down < up);
	feclearexcept(FE_ALL_EXCEPT);
	x = x / (y - 3);
	CHECK(fetestexcept(FE_DIVBYZERO));
	printf("%.17g %.17g\n", down, up);
	return 0;
}

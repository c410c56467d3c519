/* SPDX-License-Identifier: BSD-2-Clause */
/* printf, scanf, strtod, locale, math, sorting: same text on both. */
#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <time.h>
#include <wchar.h>
#include "tests/posix/check.h"

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int main(void)
{
	int numbers[1000], d;
	time_t when = 1700000000;
	struct tm tm;
	char text[100], word[20];
	double f;

	CHECK(setlocale(LC_ALL, "C.UTF-8"));
	printf("%d|%+05d|%-6x|%#o|%zu|%lld\n", -1, 42, 255, 8, (size_t)-1,
	    -9223372036854775807ll);
	printf("%f|%.3e|%g|%a|%La\n", 3.14159, 1e-300, 1e21, 0.1, 0.1L);
	printf("%5s|%-5s|%.2s|%c|%%|%p\n", "ab", "ab", "abc", 'x', (void *)16);
	printf("%f %f %f\n", (double)INFINITY, -(double)INFINITY, (double)NAN);
	for (double x = 0.1; x < 100; x *= 3.3)
		printf("%.17g %.17g %.17g %.17g %.17g\n", sin(x), exp(x),
		    log(x), pow(x, 1.7), tgamma(x));
	printf("%.20Lg %.20Lg\n", sqrtl(2), atan2l(1, 3));
	CHECK(sscanf("12 3.5e2 word", "%d %lf %19s", &d, &f, word) == 3);
	printf("%d %g %s %ld\n", d, f, word, strtol("0x7f", NULL, 0));
	printf("%ls %d\n", L"äöü€", mbstowcs(NULL, "äöü€", 0) == 4);
	printf("%d%d%d\n", toupper('a'), isdigit('5') != 0, towupper(L'ä'));
	for (int i = 0; i < 1000; i++)
		numbers[i] = (int)((unsigned)i * 2654435761u >> 16);
	qsort(numbers, 1000, sizeof(int), by_value);
	for (int i = 1; i < 1000; i++)
		CHECK(numbers[i - 1] <= numbers[i]);
	CHECK(gmtime_r(&when, &tm));
	CHECK(strftime(text, sizeof(text), "%F %T %A %j", &tm));
	printf("%s %lld\n", text, (long long)timegm(&tm));
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* expect: signal 8 */
int main(void)
{
	volatile int a = 1, b = 0;

	return a / b;
}

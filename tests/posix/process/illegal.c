/* SPDX-License-Identifier: BSD-2-Clause */
/* expect: signal 4 */
int main(void)
{
	__asm__ volatile("ud2");
	return 0;
}

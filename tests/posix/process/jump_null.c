/* SPDX-License-Identifier: BSD-2-Clause */
/* A call of address 0. expect: signal 11 */
int main(void)
{
	void (*volatile nowhere)(void) = 0;

	nowhere();
	return 0;
}

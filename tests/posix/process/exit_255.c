/* SPDX-License-Identifier: BSD-2-Clause */
/* All eight bits, and no more. expect: exit 255 */
int main(void)
{
	return 0x1ff;
}

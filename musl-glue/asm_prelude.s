# SPDX-License-Identifier: BSD-2-Clause
#
# Read before each assembler source: a SYSCALL instruction pulls the table of
# kernel calls by number into the image that it stays part of.
	.macro	syscall
	.reloc	., R_X86_64_NONE, toril_by_number_hook
	.byte	0x0f, 0x05
	.endm

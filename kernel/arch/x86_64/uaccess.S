/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies that may fault.  Each returns the number of bytes left: 0 if all
 * went well.  A fault that the memory manager can't resolve ends them through
 * the exception table.
 */
	.macro	may_fault insn, fix
	.pushsection .extable, "a", @progbits
	.long	\insn - .
	.long	\fix - .
	.popsection
	.endm

	/* size_t uaccess_copy(void *dst, const void *src, size_t n) */
	.section .text.uaccess_copy, "ax", @progbits
	.globl	uaccess_copy
uaccess_copy:
	mov	%rdx, %rcx
	shr	$3, %rcx
1:	rep movsq
	mov	%edx, %ecx
	and	$7, %ecx
2:	rep movsb
	xor	%eax, %eax
	ret
3:	and	$7, %edx		/* up to the very byte */
	lea	(%rdx, %rcx, 8), %rcx
	jmp	2b
4:	mov	%rcx, %rax
	ret
	may_fault 1b, 3b
	may_fault 2b, 4b

	/* size_t uaccess_clear(void *dst, size_t n) */
	.section .text.uaccess_clear, "ax", @progbits
	.globl	uaccess_clear
uaccess_clear:
	xor	%eax, %eax
	mov	%rsi, %rcx
	shr	$3, %rcx
1:	rep stosq
	mov	%esi, %ecx
	and	$7, %ecx
2:	rep stosb
	ret
3:	and	$7, %esi
	lea	(%rsi, %rcx, 8), %rcx
	jmp	2b
4:	mov	%rcx, %rax
	ret
	may_fault 1b, 3b
	may_fault 2b, 4b

	/* int uaccess_byte(const void *src): the byte, or -1 */
	.section .text.uaccess_byte, "ax", @progbits
	.globl	uaccess_byte
uaccess_byte:
1:	movzbl	(%rdi), %eax
	ret
2:	mov	$-1, %eax
	ret
	may_fault 1b, 2b

	/* int uaccess_load32(const uint32_t *p, uint32_t *out): 0 or -1 */
	.section .text.uaccess_load32, "ax", @progbits
	.globl	uaccess_load32
uaccess_load32:
1:	mov	(%rdi), %eax
	mov	%eax, (%rsi)
	xor	%eax, %eax
	ret
2:	mov	$-1, %eax
	ret
	may_fault 1b, 2b

	/* int uaccess_cmpxchg32(uint32_t *p, uint32_t *expected,
	   uint32_t new): 0 swapped, 1 differs (*expected updated), -1 fault */
	.section .text.uaccess_cmpxchg32, "ax", @progbits
	.globl	uaccess_cmpxchg32
uaccess_cmpxchg32:
	mov	(%rsi), %eax
1:	lock cmpxchg %edx, (%rdi)
	jne	3f
	xor	%eax, %eax
	ret
3:	mov	%eax, (%rsi)
	mov	$1, %eax
	ret
2:	mov	$-1, %eax
	ret
	may_fault 1b, 2b

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cancellation by assembly: linked only with pthread_cancel, or for a kernel
 * call whose number is known at run time only.
 */

	/* Cancellation points are direct calls (include/syscall.h); what is
	   left here is for a number known at run time only. */
	.section .text.__syscall_cp_asm, "ax", @progbits
	.globl	__syscall_cp_asm, __cp_begin, __cp_end, __cp_cancel
	.hidden	__syscall_cp_asm, __cp_begin, __cp_end, __cp_cancel
__cp_begin:
__cp_end:
__syscall_cp_asm:
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	mov	%rcx, %rdx
	mov	%r8, %rcx
	mov	%r9, %r8
	mov	8(%rsp), %r9
	mov	16(%rsp), %rax
	mov	%rax, 8(%rsp)
	jmp	toril_kcall_by_number
	.hidden	__toril_cp
	.quad	__toril_cp - .	/* pull that in */

	/* Where the handler sends a thread whose cancellation is asynchronous:
	   from anywhere, so the stack may have any alignment. */
__cp_cancel:
	and	$-16, %rsp
	call	__cancel
	ud2
	.hidden	__cancel

	.section .note.GNU-stack, "", @progbits

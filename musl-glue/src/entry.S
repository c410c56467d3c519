/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What takes the place of musl's assembly files that contain a SYSCALL
 * instruction, and the program's start.
 */

	/* int __clone(fn, stack, flags, arg, ptid, tls, ctid): struct spawn of
	   posix/thread.c, built on our stack. */
	.section .text.__clone, "ax", @progbits
	.globl	__clone
	.hidden	__clone
__clone:
	mov	8(%rsp), %rax
	sub	$56, %rsp
	mov	%rdi, (%rsp)
	mov	%rcx, 8(%rsp)
	mov	%rsi, 16(%rsp)
	mov	%r9, 24(%rsp)
	mov	%r8, 32(%rsp)
	mov	%rax, 40(%rsp)
	movslq	%edx, %rdx
	mov	%rdx, 48(%rsp)
	mov	%rsp, %rdi
	call	toril_sys_thread_spawn
	add	$56, %rsp
	ret

	.section .text.__unmapself, "ax", @progbits
	.globl	__unmapself
__unmapself:
	jmp	toril_sys_exit_unmap

	.section .text.__set_thread_area, "ax", @progbits
	.globl	__set_thread_area
	.hidden	__set_thread_area
__set_thread_area:
	mov	%rdi, %rsi
	mov	$0x1002, %edi		/* ARCH_SET_FS */
	jmp	toril_sys_arch_prctl

	/* A handler returns here with the stack pointer at the ucontext. */
	.section .text.__restore_rt, "ax", @progbits
	.globl	__restore_rt
	.hidden	__restore_rt
__restore_rt:
	mov	%rsp, %rdi
	jmp	toril_sys_rt_sigreturn

	.section .text.vfork, "ax", @progbits
	.globl	vfork
vfork:	mov	$-38, %rdi		/* ENOSYS: there is one process */
	jmp	__syscall_ret
	.hidden	__syscall_ret

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trap entry and exit.
 *
 * The CPU has pushed its frame on an IST stack, so that the red zone below
 * the interrupted stack pointer is intact.  The frame is copied to the
 * thread's kernel stack: to its top, or, if the interrupted code ran there
 * already, below it.  The IST stack is then free for the next trap.
 */
#include "kernel/arch/x86_64/layout.h"

#define KSTACK_SIZE 16384

	.cfi_sections .debug_frame
	.text
	/* One stub per vector, 16 bytes each; some exceptions push an error
	   code themselves, for the others a 0 stands in. */
	.align	16
	.globl	trap_stubs
trap_stubs:
	.set	v, 0
	.rept	80
	.align	16
	.if !((v == 8) || (v >= 10 && v <= 14) || (v == 17) || (v == 21) || (v == 29) || (v == 30))
	push	$0
	.endif
	push	$v
	jmp	trap_entry
	.set	v, v + 1
	.endr

	/* The unwind information holds from the copy of the frame on. */
trap_entry:
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa rsp, 176
	.cfi_offset rip, -40
	.cfi_offset rsp, -16
	.cfi_offset r15, -176
	.cfi_offset r14, -168
	.cfi_offset r13, -160
	.cfi_offset r12, -152
	.cfi_offset r11, -144
	.cfi_offset r10, -136
	.cfi_offset r9, -128
	.cfi_offset r8, -120
	.cfi_offset rbp, -112
	.cfi_offset rdi, -104
	.cfi_offset rsi, -96
	.cfi_offset rdx, -88
	.cfi_offset rcx, -80
	.cfi_offset rbx, -72
	.cfi_offset rax, -64
	push	%rax
	push	%rcx
	push	%rdx
	/* rdx 0, rcx 8, rax 16, vector 24, error 32, rip 40, cs 48,
	   rflags 56, rsp 64, ss 72 */
	mov	%rsp, %rcx
	mov	64(%rcx), %rax
	mov	%gs:CPU_KSTACK_TOP, %rdx
	mov	%rdx, %rsp
	sub	%rax, %rdx
	dec	%rdx
	cmp	$KSTACK_SIZE, %rdx
	jae	1f
	lea	-128(%rax), %rsp
	and	$-16, %rsp
1:	pushq	72(%rcx)
	pushq	64(%rcx)
	pushq	56(%rcx)
	pushq	48(%rcx)
	pushq	40(%rcx)
	pushq	32(%rcx)
	pushq	24(%rcx)
	pushq	16(%rcx)
	push	%rbx
	pushq	8(%rcx)
	pushq	(%rcx)
	push	%rsi
	push	%rdi
	push	%rbp
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, %rdi
	cld
	call	trap_dispatch

	/* trap_return(): leave through the frame at the stack pointer. */
	.globl	trap_return
trap_return:
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rbp
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rbx
	pop	%rax
	add	$16, %rsp
	iretq
	.cfi_endproc

	/* trap_resume(rdi = frame): the same, from C; does not return. */
	.globl	trap_resume
trap_resume:
	mov	%rdi, %rsp
	jmp	trap_return

/*
 * thread_switch(rdi = &prev->ksp, rsi = next->ksp).  Vector registers are
 * dead across a call; their control words are not.
 */
	.section .text.thread_switch, "ax", @progbits
	.globl	thread_switch
thread_switch:
	.cfi_startproc
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	sub	$8, %rsp
	stmxcsr	(%rsp)
	fnstcw	4(%rsp)
	.cfi_def_cfa rsp, 64
	.cfi_offset rbp, -16
	.cfi_offset rbx, -24
	.cfi_offset r12, -32
	.cfi_offset r13, -40
	.cfi_offset r14, -48
	.cfi_offset r15, -56
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	fldcw	4(%rsp)
	ldmxcsr	(%rsp)
	add	$8, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	.cfi_def_cfa rsp, 8
	ret
	.cfi_endproc

/* First code of a new thread: r12 = thread, r13 = C function. */
	.section .text.thread_first, "ax", @progbits
	.globl	thread_first
thread_first:
	.cfi_startproc
	.cfi_undefined rip
	mov	%r12, %rdi
	call	*%r13
	ud2
	.cfi_endproc

/*
 * thread_enter_program(rdi = function, rsi = argument, rdx = program stack):
 * leave the kernel for the first time.  The stack is 16-byte aligned, so
 * that the call below makes the frame that the ABI expects.
 */
	.section .text.thread_enter_program, "ax", @progbits
	.globl	thread_enter_program
thread_enter_program:
	.cfi_startproc
	.cfi_undefined rip
	mov	%rdx, %rsp
	xor	%ebp, %ebp
	decl	%gs:CPU_DEPTH
	mov	%rdi, %rax
	mov	%rsi, %rdi
	call	*%rax
	mov	%eax, %edi
	call	toril_sys_exit
	ud2
	.cfi_endproc

	.section .note.GNU-stack, "", @progbits

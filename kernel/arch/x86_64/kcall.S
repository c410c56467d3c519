/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel call entry and exit; see kcall.h.
 *
 * The unwind information, for debuggers only, leads from the kernel stack
 * back to the program's: the caller's stack pointer is where it was pushed.
 */
#include "kernel/arch/x86_64/layout.h"

	.cfi_sections .debug_frame
/* The CFA is what lies at rsp + 56, or rsp + 120, and 8: DW_CFA_def_cfa_
   expression of DW_OP_breg7, DW_OP_deref, DW_OP_plus_uconst. */
#define CFA_AT_56  .cfi_escape 0x0f, 5, 0x77, 56, 0x06, 0x23, 8
#define CFA_AT_120 .cfi_escape 0x0f, 6, 0x77, 0xf8, 0, 0x06, 0x23, 8

	.section .text.kcall_enter, "ax", @progbits
	.globl	kcall_enter, kcall_exit_begin, kcall_exit_end
kcall_enter:
	.cfi_startproc
	.cfi_signal_frame
	mov	%rsp, %r11
	.cfi_def_cfa r11, 8
	mov	%gs:CPU_KSTACK_TOP, %rsp
	push	%r11
	push	%rdi
	push	%rsi
	push	%rdx
	push	%rcx
	push	%r8
	push	%r9
	push	%rax
	incl	%gs:CPU_DEPTH
	CFA_AT_56
	call	*%rax
	decl	%gs:CPU_DEPTH
kcall_exit_begin:
	cmpl	$0, %gs:CPU_WORK
	jne	1f
	mov	56(%rsp), %rsp
	.cfi_def_cfa rsp, 8
kcall_exit_end:
	ret

1:	incl	%gs:CPU_DEPTH
	push	%rax
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, %rdi
	sub	$8, %rsp
	CFA_AT_120
	call	kcall_work
	add	$8, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	pop	%rax
	decl	%gs:CPU_DEPTH
	CFA_AT_56
	jmp	kcall_exit_begin
	.cfi_endproc

/*
 * The SYSCALL instruction, for programs that have it in assembly of their
 * own: same numbers, registers and results as Linux's.  It stays on the
 * program's stack, below the red zone, until the call's stub leaves it.
 * Unlike a C call it preserves vector registers, so they count as live.
 */
	.section .text.syscall_entry, "ax", @progbits
	.globl	syscall_entry
syscall_entry:
	lea	-128(%rsp), %rsp
	push	%rcx
	push	%r11
	push	%rdi
	push	%rsi
	push	%rdx
	push	%r10
	push	%r8
	push	%r9
	push	%rbx
	mov	%rsp, %rbx
	and	$-16, %rsp
	sub	$8, %rsp
	push	%r9
	mov	%r8, %r9
	mov	%r10, %r8
	mov	%rdx, %rcx
	mov	%rsi, %rdx
	mov	%rdi, %rsi
	mov	%rax, %rdi
	mov	%gs:CPU_CURRENT, %rax
	movb	$1, THREAD_VECTORS_LIVE(%rax)
	mov	toril_by_number_hook@GOTPCREL(%rip), %rax
	test	%rax, %rax
	jz	1f
	call	*(%rax)
	jmp	2f
1:	mov	$-38, %rax		/* ENOSYS: no table was linked */
2:	mov	%gs:CPU_CURRENT, %rcx
	movb	$0, THREAD_VECTORS_LIVE(%rcx)
	mov	%rbx, %rsp
	pop	%rbx
	pop	%r9
	pop	%r8
	pop	%r10
	pop	%rdx
	pop	%rsi
	pop	%rdi
	pop	%r11
	pop	%rcx
	push	%r11
	popfq
	lea	128(%rsp), %rsp
	jmp	*%rcx
	.weak	toril_by_number_hook

/* The stubs, each in a section of its own, so that unused ones go. */
#define KCALL(nr, name, kind) KCALL_##kind(name)
#define KCALL_PLAIN(name)                                     \
	.section .text.toril_sys_##name, "ax", @progbits;           \
	.globl toril_sys_##name;                                    \
	toril_sys_##name: lea kcall_##name(%rip), %rax;             \
	jmp kcall_enter;
#define KCALL_LEAF(name)                                      \
	.section .text.toril_sys_##name, "ax", @progbits;           \
	.globl toril_sys_##name;                                    \
	toril_sys_##name: jmp kcall_##name;
#include "posix/calls.def"

	.section .note.GNU-stack, "", @progbits

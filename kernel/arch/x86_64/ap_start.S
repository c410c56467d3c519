/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the other CPUs start (Intel SDM volume 3, "MP initialization"): in
 * real mode, at the page AP_START_PHYS, to which smp.c copies the part from
 * ap_begin to ap_end.  It turns on long mode with the page tables that everybody
 * has, in which that page is mapped at its physical address meanwhile, and
 * leaves for ap_enter in the image.
 */
#include "kernel/arch/x86_64/layout.h"

#define AT(x) (AP_START_PHYS + (x) - ap_begin)

	.section .rodata.ap_start, "a", @progbits
	.globl	ap_begin, ap_end, ap_cr3, ap_entry
	.align	16
	.code16
ap_begin:
	cli
	cld
	xor	%ax, %ax
	mov	%ax, %ds
	lgdtl	AT(ap_gdtr)
	mov	%cr4, %eax
	or	$0x20, %eax		/* PAE */
	mov	%eax, %cr4
	mov	AT(ap_cr3), %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx	/* EFER: LME, NXE, SCE */
	rdmsr
	or	$0x901, %eax
	wrmsr
	mov	$0x80010033, %eax	/* PG WP NE ET MP PE */
	mov	%eax, %cr0
	ljmpl	$SEL_CODE, $AT(1f)
	.code64
1:	mov	AT(ap_entry), %rax
	jmp	*%rax
	.align	8
ap_gdt:	.quad	0, 0x00af9b000000ffff
ap_gdtr:
	.word	15
	.long	AT(ap_gdt)
	.align	8
ap_cr3:	.long	0, 0
ap_entry:
	.quad	0
ap_end:

/* At its virtual address: which CPU is this?  Its stack is ready. */
	.section .text.ap_enter, "ax", @progbits
	.globl	ap_enter
ap_enter:
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%eax, %fs
	mov	%eax, %gs
	mov	$1, %eax
	cpuid
	shr	$24, %ebx		/* initial APIC identifier */
	lea	ap_table(%rip), %rcx
	mov	(%rcx, %rbx, 8), %rdi
	test	%rdi, %rdi
	jz	1f
	mov	CPU_KSTACK_TOP(%rdi), %rsp
	xor	%ebp, %ebp
	call	ap_main
1:	cli
	hlt
	jmp	1b

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PVH entry (Xen's docs/misc/pvh: 32-bit protected mode, flat segments,
 * paging off, %ebx = physical address of struct hvm_start_info).
 *
 * Builds a provisional identity map of the first GiB just behind the image,
 * in RAM that nobody has written yet, enters long mode and calls boot_main.
 * This code runs where it was loaded; as part of a position-independent
 * image it may not contain absolute addresses.
 *
 * Below it the ELF entry point, which serves two: a boot loader that follows
 * Linux's 64-bit boot protocol (Documentation/arch/x86/boot.rst: long mode, the
 * image, boot_params and command line mapped at their own addresses, %rsi =
 * physical address of struct boot_params), and Linux itself, for which the
 * image is a program.
 */
#include "kernel/arch/x86_64/layout.h"

	.section .text.pvh, "ax", @progbits
	.code32
	.globl	pvh_start
pvh_start:
	cli
	cld
	/* A stack is needed to learn where we are: the page below us. */
	mov	$0x8000, %esp
	call	1f
1:	pop	%ebp
	mov	%ebx, %esi

	/* edi = first page behind the image: PML4, PDPT, PD, stack. */
	lea	(.Lend - 1b)(%ebp), %eax
	add	(%eax), %eax
	lea	4095(%eax), %edi
	and	$-4096, %edi
	lea	0x4000(%edi), %esp

	mov	$0x80000001, %eax
	cpuid
	lea	0x1003(%edi), %eax
	mov	%eax, (%edi)
	test	$(1 << 26), %edx
	jz	2f
	movl	$0x83, 0x1000(%edi)	/* one page of 1 GiB */
	jmp	4f
2:	lea	0x2003(%edi), %eax
	mov	%eax, 0x1000(%edi)
	mov	$0x83, %eax		/* 512 pages of 2 MiB */
	xor	%ecx, %ecx
3:	mov	%eax, 0x2000(%edi, %ecx, 8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$512, %ecx
	jb	3b

4:	mov	%cr4, %eax
	or	$0x20, %eax		/* PAE */
	mov	%eax, %cr4
	mov	%edi, %cr3
	mov	$0xc0000080, %ecx	/* EFER: LME, NXE, SCE */
	rdmsr
	or	$0x901, %eax
	wrmsr
	mov	$0x80010033, %eax	/* PG WP NE ET MP PE */
	mov	%eax, %cr0

	/* A GDT of one entry, on the stack, for the far jump. */
	push	$0x00af9b00
	push	$0x0000ffff
	push	$0
	push	$0
	mov	%esp, %eax
	sub	$8, %esp
	movw	$15, (%esp)
	mov	%eax, 2(%esp)
	lgdt	(%esp)
	lea	(.Llong - 1b)(%ebp), %eax
	push	$SEL_CODE
	push	%eax
	lret
.Lend:	.long	__image_end - .

	.code64
	.globl	toril_start
toril_start:
	mov	%cs, %eax
	test	$3, %al
	jnz	toril_linux_start	/* not in ring 0: a process */
	cli
	cld
	lea	__image_end + 4095(%rip), %rdi
	and	$-4096, %rdi
	lea	0x4000(%rdi), %rsp

	/* The same map, always of 2 MiB pages.  What the loader mapped is not
	 * known well enough, nor where its tables are. */
	lea	0x1003(%rdi), %rax
	mov	%rax, (%rdi)
	add	$0x1000, %eax
	mov	%rax, 0x1000(%rdi)
	add	$0x2000, %rdi
	mov	$0x83, %eax
	mov	$512, %ecx
1:	stosq
	add	$0x200000, %eax
	loop	1b
	sub	$0x3000, %rdi

	/* The GDT, then its description, whose limit has 16 bits. */
	mov	$0x00af9b000000ffff, %rax
	push	%rax
	push	$0
	push	%rsp
	pushw	$15
	lgdt	(%rsp)
	mov	$0xc0000080, %ecx	/* EFER and CR0 as above */
	rdmsr
	or	$0x901, %eax
	wrmsr
	mov	$0x20, %eax		/* PAE alone */
	mov	%rax, %cr4
	mov	%rdi, %cr3
	mov	$0x80010033, %eax
	mov	%rax, %cr0
	lea	.Llong(%rip), %rax
	push	$SEL_CODE
	push	%rax
	lretq

.Llong:	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%esi, %esi
	mov	%edi, %edi
	xchg	%rsi, %rdi		/* boot_main(info, free memory) */
	lea	0x4000(%rsi), %rsp
	xor	%ebp, %ebp
	call	boot_main
	ud2

/*
 * boot_jump(rdi = offset of the new image, rsi = stack, rdx = function):
 * go on in the relocated image, on another stack.
 */
	.section .text.boot_jump, "ax", @progbits
	.globl	boot_jump
boot_jump:
	mov	%rsi, %rsp
	xor	%ebp, %ebp
	call	*%rdx
	ud2

	.section .note.GNU-stack, "", @progbits

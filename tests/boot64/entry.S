/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loader's own start from PVH, under an identity map of 4 GiB, and its
 * leap into the image: loader.c.
 */
	.section .note.pvh, "a", @note
	.long	4, 4, 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.long	start

	.text
	.code32
	.globl	start
start:	cli
	cld
	mov	%ebx, %esi
	movl	$(pdpt + 3), pml4
	mov	$(pd + 3), %eax
	mov	$pdpt, %edi
1:	mov	%eax, (%edi)
	add	$8, %edi
	add	$0x1000, %eax
	cmp	$(pdpt + 32), %edi
	jb	1b
	mov	$0x83, %eax
	mov	$pd, %edi
2:	mov	%eax, (%edi)
	add	$8, %edi
	add	$0x200000, %eax
	jnc	2b
	mov	$0x20, %eax
	mov	%eax, %cr4
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	$0x80000011, %eax
	mov	%eax, %cr0
	lgdt	gdtr
	ljmp	$8, $3f

	.code64
3:	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$stack_end, %esp
	mov	%esi, %edi
	call	loader_main
	ud2

/*
 * leap(rdi = entry, rsi = boot_params, rdx = PML4, rcx = code selector, the
 * data selector behind it, r8 = what LGDT wants, r9 = what LIDT wants): the
 * registers that the protocol does not speak of hold nothing useful.
 */
	.globl	leap
leap:	lgdt	(%r8)
	lidt	(%r9)
	mov	%rdx, %cr3
	mov	%ecx, %ebx
	mov	$0xc0000080, %ecx
	mov	$0x100, %eax		/* LME, and nothing else */
	xor	%edx, %edx
	wrmsr
	mov	$0x80000011, %eax	/* PG ET PE: no WP */
	mov	%rax, %cr0
	lea	8(%ebx), %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	$0x8ff0, %esp
	mov	$0xdeadbeefdeadbeef, %rax
	push	%rbx
	push	%rdi
	mov	%rax, %rbx
	mov	%rax, %rcx
	mov	%rax, %rdx
	mov	%rax, %rdi
	mov	%rax, %r8
	mov	%rax, %r9
	mov	%rax, %r15
	mov	$0x8ff0, %ebp
	lretq

	.section .rodata
	.balign	8
gdt:	.quad	0, 0x00af9b000000ffff
gdtr:	.word	15
	.long	gdt, 0

	.bss
	.balign	4096
pml4:	.skip	4096
pdpt:	.skip	4096
pd:	.skip	4 * 4096
	.skip	16384
stack_end:

	.section .note.GNU-stack, "", @progbits

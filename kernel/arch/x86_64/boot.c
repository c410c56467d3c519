/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the boot loader's entry to the relocated image.
 *
 * boot_main runs at the load address under the identity map that pvh.S made.
 * It reads the start info, builds the final page tables, relocates the image
 * to a random base, and leaves for kernel_main there; the identity map goes
 * with that.  Memory is taken from a bump allocator behind the image.
 *
 * What the boot loader said is copied first (start_info.c), before anything
 * may be allocated over it.
 */
#include "kernel/arch/x86_64/boot.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/start_info.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/sched/thread.h"

#define EARLY_MAP_END GIB /* what pvh.S mapped */

struct elf_rela {
	uint64_t offset, info;
	int64_t addend;
};

extern char __image_start[], __image_end[], __text_start[], __text_end[];
extern char __data_start[];
extern uint64_t __relr_start[], __relr_end[];
extern struct elf_rela __rela_start[], __rela_end[];

noreturn void boot_main(paddr_t start_info, paddr_t free_memory);
noreturn void boot_jump(uintptr_t bias, uintptr_t sp, uintptr_t fn);

struct boot_info boot_info sealed;
static paddr_t bump;     /* next free byte of early memory, page aligned */
static paddr_t bump_end; /* end of the RAM range that holds the image */
static uint64_t *pml4;

static paddr_t bump_page(void)
{
	paddr_t pa = bump;

	if (bump + PAGE_SIZE > bump_end || bump + PAGE_SIZE > EARLY_MAP_END)
		panic("boot: out of memory; give the VM more");
	bump += PAGE_SIZE;
	return pa;
}

/* The entry of table t for va at a level, with the table below it made. */
static uint64_t *table_entry(uint64_t *t, uintptr_t va, int level)
{
	return &t[va >> (12 + 9 * level) & 511];
}

static uint64_t *descend(uintptr_t va, int level)
{
	uint64_t *t = pml4;

	for (int l = 3; l > level; l--) {
		uint64_t *e = table_entry(t, va, l);
		if (!*e)
			*e = bump_page() | PTE_P | PTE_W;
		t = (uint64_t *)(*e & ~0xfffull);
	}
	return table_entry(t, va, level);
}

static void map_pages(uintptr_t va, paddr_t pa, size_t len, uint64_t flags)
{
	uint64_t *e = NULL;

	for (size_t off = 0; off < len; off += PAGE_SIZE) {
		if (!e || !((va + off) & 0x1fffff))
			e = descend(va + off, 0);
		*e++ = (pa + off) | flags | PTE_P | PTE_A | PTE_D;
	}
}

/* Map [start, end) of RAM in the direct map, with large pages where whole
 * ones fit.  The image is left out: it has one address, which is random. */
static void map_direct(paddr_t start, paddr_t end)
{
	paddr_t image_end = ALIGN_UP((paddr_t)__image_end, PAGE_SIZE);

	for (paddr_t pa = start; pa < end;) {
		uintptr_t va = DIRECT_BASE + pa;
		size_t step = PAGE_SIZE;
		bool image = (pa | (2 * MIB - 1)) >= IMAGE_PHYS &&
			     ALIGN_DOWN(pa, 2 * MIB) < image_end;

		if (cpu_features.gib_pages && !(pa % GIB) && end - pa >= GIB &&
		    pa >= image_end)
			step = GIB;
		else if (!image && !(pa % (2 * MIB)) && end - pa >= 2 * MIB)
			step = 2 * MIB;
		if (step > PAGE_SIZE) {
			*descend(va, step == GIB ? 2 : 1) = pa | PTE_P | PTE_W |
							    PTE_A | PTE_D |
							    PTE_PS | PTE_NX;
		} else {
			bool mine = pa >= IMAGE_PHYS && pa < image_end;
			step = min(end, ALIGN_DOWN(pa, 2 * MIB) + 2 * MIB) - pa;
			if (pa < IMAGE_PHYS)
				step = min(step, IMAGE_PHYS - pa);
			else if (mine)
				step = min(step, image_end - pa);
			if (!mine)
				map_pages(va, pa, step, PTE_NX | PTE_W);
		}
		pa += step;
	}
}

static void map_image(uintptr_t bias)
{
	uintptr_t start = (uintptr_t)__image_start;
	uintptr_t text = (uintptr_t)__text_start;
	uintptr_t data = (uintptr_t)__data_start;
	uintptr_t end = ALIGN_UP((uintptr_t)__image_end, PAGE_SIZE);

	map_pages(bias + start, start, text - start, PTE_NX);
	map_pages(bias + text, text, data - text, 0);
	map_pages(bias + data, data, end - data, PTE_NX | PTE_W);
}

static void relocate(uintptr_t bias)
{
	uint64_t *where = NULL;

	for (uint64_t *r = __relr_start; r < __relr_end; r++) {
		if (!(*r & 1)) {
			where = (uint64_t *)*r;
			*where++ += bias;
			continue;
		}
		for (int i = 0; i < 63; i++)
			if (*r >> (i + 1) & 1)
				where[i] += bias;
		where += 63;
	}
	for (struct elf_rela *r = __rela_start; r < __rela_end; r++) {
		if ((uint32_t)r->info != 8) /* R_X86_64_RELATIVE */
			panic("boot: relocation type %u in the image",
			    (uint32_t)r->info);
		*(uint64_t *)r->offset = bias + (uint64_t)r->addend;
	}
}

/* Under the identity map. */
const void *start_info_memory(uint64_t pa, size_t n)
{
	bool there = pa && pa < EARLY_MAP_END && n <= EARLY_MAP_END - pa;

	return there ? (const void *)pa : NULL;
}

static uint64_t random_early(void)
{
	uint64_t r = cpu_random();

	if (!r) {
		r = cpu_rdtsc() * 0x9e3779b97f4a7c15ull;
		r ^= r >> 29;
	}
	return r;
}

/* Find the range that holds the image and cut the struct page array off the
 * end of the largest one. */
static void place_page_map(void)
{
	struct boot_range *big = &boot_info.ram[0];
	uint64_t pages = 0;
	size_t size;

	for (unsigned i = 0; i < boot_info.nr_ram; i++) {
		struct boot_range *r = &boot_info.ram[i];
		if (r->end - r->start > big->end - big->start)
			big = r;
		pages = max(pages, r->end >> PAGE_SHIFT);
		if (r->start <= IMAGE_PHYS && r->end > IMAGE_PHYS)
			bump_end = r->end;
	}
	size = ALIGN_UP(pages * sizeof(struct page), PAGE_SIZE);
	if (!bump_end || bump > bump_end || big->end - big->start < 2 * size)
		panic("boot: the image does not fit into memory");
	boot_info.page_map = big->end - size;
	boot_info.nr_pages = pages;
}

/* What the image, page tables and stacks took is not free. */
static void ram_trim(void)
{
	for (unsigned i = 0; i < boot_info.nr_ram; i++) {
		struct boot_range *r = &boot_info.ram[i];
		if (r->end > boot_info.page_map &&
		    r->start <= boot_info.page_map)
			r->end = boot_info.page_map;
		if (r->start <= IMAGE_PHYS && r->end > IMAGE_PHYS)
			r->start = bump;
	}
}

noreturn void boot_main(paddr_t start_info, paddr_t free_memory)
{
	uintptr_t bias, stack = KSTACK_BASE + KSTACK_SLOT - KSTACK_SIZE;
	struct boot_range full[BOOT_RANGES];
	const char *wrong;
	unsigned nr;

	cpu_detect();
	bump = free_memory + 4 * PAGE_SIZE; /* pvh.S's tables and stack */
	wrong = start_info_read(start_info, &boot_info);
	if (wrong)
		panic("boot: %s", wrong);
	place_page_map();
	pml4 = (uint64_t *)bump_page();
	nr = boot_info.nr_ram;
	memcpy(full, boot_info.ram, sizeof(full));

	bias =
	    IMAGE_BASE + (random_early() & 0xffffff) * PAGE_SIZE - IMAGE_PHYS;
	for (unsigned i = 0; i < nr; i++)
		map_direct(full[i].start, full[i].end);
	map_image(bias);
	for (size_t off = 0; off < KSTACK_SIZE; off += PAGE_SIZE)
		map_pages(stack + off, bump_page(), PAGE_SIZE, PTE_W | PTE_NX);
	ram_trim();
	boot_info.bias = bias;
	boot_info.pml4 = (paddr_t)pml4;
	/* pvh.S's identity map stays until the jump is done. */
	pml4[0] = *(uint64_t *)free_memory;
	cpu_set_cr3((paddr_t)pml4);
	relocate(bias);
	boot_jump(bias, stack + KSTACK_SIZE, (uintptr_t)boot_relocated + bias);
}

/* On the new stack, at the new address. */
noreturn void boot_relocated(void)
{
	pml4 = phys_to_virt(boot_info.pml4);
	pml4[0] = 0;
	cpu_set_cr3(boot_info.pml4);
	kernel_main();
}

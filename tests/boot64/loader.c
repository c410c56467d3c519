/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A boot loader under QEMU that does to an image what Firecracker does to a
 * Linux kernel: Linux's 64-bit boot protocol, at Firecracker's addresses.
 *
 * QEMU starts it by PVH; the image is its module (-initrd).  Its segments go
 * to their physical addresses, memory map and command line into boot_params,
 * and the CPU to the ELF entry point, in long mode under a map of the first
 * GiB alone.  What the image then reads of this loader is nothing.
 *
 * Words of the command line make it differ: boot64.linux takes the selectors
 * that Linux names instead of Firecracker's; boot64.odd adds entries to the
 * memory map that cannot be; boot64.magic and boot64.entries spoil the rest.
 */
#include <asm/bootparam.h>
#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#define GDT         0x500
#define IDT         0x520
#define ZERO_PAGE   0x7000
#define PML4        0x9000
#define PDPT        0xa000
#define PD          0xb000
#define CMDLINE     0x20000
#define CMDLINE_MAX 2048
#define RANGES_MAX  32

#define DEBUG_EXIT 0x501
#define COM1       0x3f8

struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp, memmap;
	uint32_t memmap_entries, reserved;
};

struct range {
	uint64_t addr, size;
	uint32_t type, reserved;
};

struct module {
	uint64_t addr, size, cmdline, reserved;
};

struct descriptor {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

void loader_main(const struct start_info *si);
_Noreturn void leap(uint64_t entry, uint64_t zero_page, uint64_t pml4,
    unsigned code, const struct descriptor *gdt, const struct descriptor *idt);
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);

/* What QEMU's firmware said, out of the way of what is written below. */
static struct start_info info;
static struct range ranges[RANGES_MAX];
static struct module image;
static char cmdline[CMDLINE_MAX];

void *memcpy(void *to, const void *from, size_t n)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
	return start;
}

void *memset(void *to, int c, size_t n)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(c) : "memory");
	return start;
}

static void port_write(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static _Noreturn void fail(const char *why)
{
	for (const char *p = "boot64: "; *p; p++)
		port_write(COM1, (uint8_t)*p);
	for (; *why; why++)
		port_write(COM1, (uint8_t)*why);
	port_write(COM1, '\n');
	for (;;)
		__asm__ volatile(
		    "outw %0, %1; hlt"
		    :
		    : "a"((uint16_t)1), "Nd"((uint16_t)DEBUG_EXIT));
}

static int given(const char *word)
{
	for (const char *p = cmdline; *p; p++) {
		size_t n = 0;
		while (word[n] && p[n] == word[n])
			n++;
		if (!word[n])
			return 1;
	}
	return 0;
}

static void firmware_copy(const struct start_info *si)
{
	const char *from = (const char *)si->cmdline;
	size_t n = 0;

	info = *si;
	if (info.nr_modules != 1)
		fail("no image: it is to be the -initrd");
	if (info.memmap_entries > RANGES_MAX - 4)
		fail("too large a memory map");
	image = *(const struct module *)info.modlist;
	memcpy(ranges, (const void *)info.memmap,
	    info.memmap_entries * sizeof(*ranges));
	while (from && n < CMDLINE_MAX - 1 && from[n]) {
		cmdline[n] = from[n];
		n++;
	}
}

/* As a VMM does: to the physical addresses; the memory was zero before, and
 * is again where the file was. */
static uint64_t image_load(void)
{
	const Elf64_Ehdr *e = (const void *)image.addr;
	const Elf64_Phdr *p = (const void *)(image.addr + e->e_phoff);
	uint64_t entry = e->e_entry;

	if (e->e_ident[0] != ELFMAG0 || e->e_ident[EI_CLASS] != ELFCLASS64)
		fail("the image is no ELF file of 64 bits");
	for (unsigned i = 0; i < e->e_phnum; i++)
		if (p[i].p_type == PT_LOAD)
			memcpy((void *)p[i].p_paddr,
			    (const void *)(image.addr + p[i].p_offset),
			    p[i].p_filesz);
	memset((void *)image.addr, 0, image.size);
	return entry;
}

static void tables_make(void)
{
	uint64_t *pml4 = (void *)PML4, *pdpt = (void *)PDPT, *pd = (void *)PD;

	memset(pml4, 0, 4096);
	memset(pdpt, 0, 4096);
	*pml4 = PDPT | 3;
	*pdpt = PD | 3;
	for (uint64_t i = 0; i < 512; i++)
		pd[i] = i << 21 | 0x83;
}

static void range_add(
    struct boot_params *b, uint64_t addr, uint64_t size, uint32_t type)
{
	b->e820_table[b->e820_entries++] =
	    (struct boot_e820_entry){addr, size, type};
}

static void boot_params_make(struct boot_params *b)
{
	memset(b, 0, sizeof(*b));
	b->hdr.type_of_loader = 0xff;
	b->hdr.boot_flag = 0xaa55;
	b->hdr.header = given("boot64.magic") ? 0x12345678 : 0x53726448;
	b->hdr.cmd_line_ptr = CMDLINE;
	b->hdr.cmdline_size = CMDLINE_MAX;
	b->hdr.kernel_alignment = 0x1000000;
	b->acpi_rsdp_addr = info.rsdp;
	if (given("boot64.odd")) {
		range_add(b, 0xfffffffffffff000, 0x10000, 1); /* wraps */
		range_add(b, 0x300000, 0x123, 1);             /* no page */
		range_add(b, 1ull << 50, 1ull << 30, 1);      /* too far */
		range_add(b, 0x100000, 0x180000, 1);          /* twice */
	}
	for (unsigned i = 0; i < info.memmap_entries; i++)
		range_add(b, ranges[i].addr, ranges[i].size, ranges[i].type);
	if (given("boot64.entries"))
		b->e820_entries = 200;
	memcpy((void *)CMDLINE, cmdline, sizeof(cmdline));
}

void loader_main(const struct start_info *si)
{
	static const struct descriptor gdt = {39, GDT}, idt = {7, IDT};
	const uint64_t code = 0x00af9b000000ffff, data = 0x00cf93000000ffff;
	uint64_t *g = (void *)GDT, entry;
	unsigned at;

	firmware_copy(si);
	entry = image_load();
	tables_make();
	boot_params_make((void *)ZERO_PAGE);
	at = given("boot64.linux") ? 2 : 1;
	memset(g, 0, gdt.limit + 1 + 8);
	g[at] = code;
	g[at + 1] = data;
	leap(entry, ZERO_PAGE, PML4, at * 8, &gdt, &idt);
}

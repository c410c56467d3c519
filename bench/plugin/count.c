/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TCG plugin that counts what a guest does: instructions executed (an
 * iteration of a `rep` counts as one: TCG runs it as one), writes to virtio
 * devices' QueueNotify (kicks), interrupts (writes to the local APIC's
 * end-of-interrupt register), and bytes that `rep movs` copies, with which
 * Linux, musl and Toril copy all but the smallest.
 *
 * The image runs at a random virtual address but at its link address
 * physically.  Code is therefore recognised by where it lies in the host's
 * memory, counted from the PVH entry, which runs untranslated.
 *
 *	-plugin count.so,out=FILE[,entry=ADDR][,mark=ADDR]...[,smp=on]
 *
 * Counting starts at the first execution of `entry`.  FILE is mapped, so that
 * it can be read at any time: for each set of counts four 64-bit numbers
 * (instructions, kicks, interrupts, bytes copied), the first set running, then
 * one for each mark, taken when it is executed first.
 *
 * A program may itself say what is to be counted, wherever it runs, in a
 * process of Linux, too: bench/span.h's instructions, which do nothing, begin
 * and end span 0, 1 and so on.  Their sets follow those of the marks; of a
 * span that is passed several times it is the one with the least
 * instructions, since a timer's tick may fall into any.
 *
 * All this is for one CPU.  With `smp=on` the instructions of all CPUs are in
 *the CPUs' own numbers, 64 bytes apart, behind the sets; they are counted by
 * blocks there, so that one which a fault ends early counts as a whole.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "bench/plugin/qemu_plugin.h"
#include "bench/span.h"

#define MARKS     16
#define SETS      (1 + MARKS + SPANS)
#define CPUS      64
#define MMIO_BASE 0xfeb00000ull
#define MMIO_END  0xfeb03000ull
#define MMIO_SIZE 0x200
#define NOTIFY    0x50
#define LAPIC_EOI 0xfee000b0ull

int qemu_plugin_version = QEMU_PLUGIN_API;

struct counts {
	uint64_t instructions, kicks, interrupts, copied;
};

struct cpu_count {
	uint64_t instructions, pad[7];
};

static uint64_t mark[MARKS], entry; /* addresses */
static unsigned nr_marks;
static char *ram;              /* the host's address of physical address 0 */
static struct counts *now;     /* in the file; marks' and spans' follow */
static struct cpu_count *cpus; /* after those */
static struct counts begun[SPANS];
static bool smp;

static void on_entry(unsigned vcpu, void *arg)
{
	(void)vcpu, (void)arg;
	memset(now, 0, SETS * sizeof(*now));
}

static void on_mark(unsigned vcpu, void *arg)
{
	struct counts *c = arg;

	(void)vcpu;
	if (!c->instructions)
		*c = *now;
}

static void on_begin(unsigned vcpu, void *arg)
{
	(void)vcpu;
	begun[(size_t)arg] = *now;
}

static void on_end(unsigned vcpu, void *arg)
{
	struct counts *from = &begun[(size_t)arg];
	struct counts *least = &now[1 + MARKS + (size_t)arg];
	uint64_t n = now->instructions - from->instructions;

	(void)vcpu;
	if (least->instructions && least->instructions <= n)
		return;
	least->instructions = n;
	least->kicks = now->kicks - from->kicks;
	least->interrupts = now->interrupts - from->interrupts;
	least->copied = now->copied - from->copied;
}

static void instrument_span(struct qemu_plugin_insn *insn)
{
	const unsigned char *code = qemu_plugin_insn_data(insn);
	uint32_t word;

	if (qemu_plugin_insn_size(insn) != 7 || memcmp(code, "\x0f\x1f\x80", 3))
		return;
	memcpy(&word, code + 3, 4);
	if ((word & ~0xffu) == SPAN_MAGIC && (word & 0xff) < 2 * SPANS)
		qemu_plugin_register_vcpu_insn_exec_cb(insn,
		    word & 1 ? on_end : on_begin, QEMU_PLUGIN_CB_NO_REGS,
		    (void *)(size_t)((word & 0xff) / 2));
}

static void add(uint64_t *count, uint64_t n)
{
	__atomic_add_fetch(count, n, __ATOMIC_RELAXED);
}

static void on_store(unsigned vcpu, uint32_t info, uint64_t vaddr, void *arg)
{
	struct qemu_plugin_hwaddr *hw = qemu_plugin_get_hwaddr(info, vaddr);
	uint64_t at;

	(void)vcpu, (void)arg;
	if (!hw || !qemu_plugin_hwaddr_is_io(hw))
		return;
	at = qemu_plugin_hwaddr_phys_addr(hw);
	if (at >= MMIO_BASE && at < MMIO_END && at % MMIO_SIZE == NOTIFY)
		add(&now->kicks, 1);
	else if (at == LAPIC_EOI)
		add(&now->interrupts, 1);
}

static void on_copy(unsigned vcpu, uint32_t info, uint64_t vaddr, void *arg)
{
	(void)vcpu, (void)vaddr, (void)arg;
	if (qemu_plugin_mem_is_store(info))
		add(&now->copied, 1ull << qemu_plugin_mem_size_shift(info));
}

static void on_block(unsigned vcpu, void *length)
{
	if (vcpu < CPUS)
		cpus[vcpu].instructions += (size_t)length;
}

/* rep movs of whatever size. */
static bool copies(const struct qemu_plugin_insn *insn)
{
	const unsigned char *code = qemu_plugin_insn_data(insn);
	size_t len = qemu_plugin_insn_size(insn);

	return len >= 2 && len <= 4 && memchr(code, 0xf3, len - 1) &&
	       (code[len - 1] & ~1) == 0xa4;
}

static void instrument(struct qemu_plugin_insn *insn)
{
	char *host = qemu_plugin_insn_haddr(insn);

	if (entry && !ram && host && qemu_plugin_insn_vaddr(insn) == entry)
		ram = host - entry;
	if (ram && host == ram + entry)
		qemu_plugin_register_vcpu_insn_exec_cb(
		    insn, on_entry, QEMU_PLUGIN_CB_NO_REGS, NULL);
	for (unsigned i = 0; ram && i < nr_marks; i++)
		if (host == ram + mark[i])
			qemu_plugin_register_vcpu_insn_exec_cb(
			    insn, on_mark, QEMU_PLUGIN_CB_NO_REGS, &now[1 + i]);
	instrument_span(insn);
	if (!smp)
		qemu_plugin_register_vcpu_insn_exec_inline(
		    insn, QEMU_PLUGIN_ADD_U64, &now->instructions, 1);
	qemu_plugin_register_vcpu_mem_cb(insn,
	    copies(insn) ? on_copy : on_store, QEMU_PLUGIN_CB_NO_REGS,
	    QEMU_PLUGIN_MEM_W, NULL);
}

static void on_translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	if (smp)
		qemu_plugin_register_vcpu_tb_exec_cb(
		    tb, on_block, QEMU_PLUGIN_CB_NO_REGS, (void *)n);
	for (size_t i = 0; i < n; i++)
		instrument(qemu_plugin_tb_get_insn(tb, i));
}

static bool out_map(const char *path)
{
	size_t size = SETS * sizeof(*now) + CPUS * sizeof(*cpus);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	void *p = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, (off_t)size))
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (p == MAP_FAILED)
		return false;
	now = p;
	cpus = (struct cpu_count *)&now[SETS];
	return true;
}

static bool option(const char *text)
{
	if (!strncmp(text, "out=", 4))
		return out_map(text + 4);
	if (!strncmp(text, "entry=", 6))
		entry = strtoull(text + 6, NULL, 0);
	else if (!strncmp(text, "mark=", 5) && nr_marks < MARKS)
		mark[nr_marks++] = strtoull(text + 5, NULL, 0);
	else if (!strcmp(text, "smp=on"))
		smp = true;
	else
		return false;
	return true;
}

int qemu_plugin_install(
    uint64_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (!option(argv[i])) {
			fprintf(stderr, "count: %s?\n", argv[i]);
			return -1;
		}
	if (!now)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}

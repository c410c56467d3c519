/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's start, after boot.c has relocated the image: bring up memory,
 * the CPU, the clock and the scheduler; then a first thread that finds the
 * devices, takes the configuration from the launcher and becomes the
 * program's main thread.
 */
#include "drivers/virtio/virtio.h"
#include "kernel/arch/x86_64/acpi.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/boot.h"
#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/mptable.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/control/control.h"
#include "kernel/control/objects.h"
#include "kernel/fs/file.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/printk.h"
#include "kernel/lib/random.h"
#include "kernel/lib/string.h"
#include "kernel/mm/fail.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/uaccess.h"
#include "kernel/mm/vm.h"
#include "kernel/sched/events.h"
#include "kernel/sched/process.h"
#include "kernel/sched/thread.h"

#define STACK_SIZE     (8 * MIB)
#define IOAPIC_DEFAULT 0xfec00000ull
#define AUX_MAX        16

static struct mptable machine sealed;

extern char __image_start[], __image_end[];

/* musl-glue's start file: never returns. */
extern noreturn void toril_program_start(long *stack);

/* Where things of the image are in memory. */
uint64_t image_virt_to_phys(const void *va);
uint64_t image_virt_to_phys(const void *va)
{
	return (uintptr_t)va - boot_info.bias;
}

struct aux {
	uint64_t type, value;
};

enum aux_type {
	AUX_PHDR = 3,
	AUX_PHENT = 4,
	AUX_PHNUM = 5,
	AUX_PAGESZ = 6,
	AUX_ENTRY = 9,
	AUX_UID = 11,
	AUX_EUID = 12,
	AUX_GID = 13,
	AUX_EGID = 14,
	AUX_HWCAP = 16,
	AUX_CLKTCK = 17,
	AUX_SECURE = 23,
	AUX_RANDOM = 25,
	AUX_EXECFN = 31,
};

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum;
};

/* Push bytes below sp; the new sp, or 0 if that memory can't be had. */
static uintptr_t push(uintptr_t sp, const void *p, size_t n, size_t align)
{
	sp = ALIGN_DOWN(sp - n, align);
	return copy_out((void *)sp, p, n) ? 0 : sp;
}

static bool push_strings(
    uintptr_t *sp, char **strings, unsigned n, uint64_t *addr)
{
	for (unsigned i = n; i-- > 0;) {
		*sp = push(*sp, strings[i], strlen(strings[i]) + 1, 1);
		if (!*sp)
			return false;
		addr[i] = *sp;
	}
	return true;
}

static unsigned fill_aux(struct aux *a, uint64_t random, uint64_t execfn)
{
	const struct elf_header *e = (const void *)__image_start;
	uint32_t r[4];
	unsigned n = 0;

	cpu_cpuid(1, 0, r);
	a[n++] = (struct aux){AUX_PHDR, (uintptr_t)e + e->phoff};
	a[n++] = (struct aux){AUX_PHENT, e->phentsize};
	a[n++] = (struct aux){AUX_PHNUM, e->phnum};
	a[n++] = (struct aux){AUX_PAGESZ, PAGE_SIZE};
	a[n++] = (struct aux){AUX_ENTRY, (uintptr_t)toril_program_start};
	a[n++] = (struct aux){AUX_HWCAP, r[3]};
	a[n++] = (struct aux){AUX_CLKTCK, 100};
	a[n++] = (struct aux){AUX_SECURE, 0};
	a[n++] = (struct aux){AUX_RANDOM, random};
	if (execfn)
		a[n++] = (struct aux){AUX_EXECFN, execfn};
	a[n++] = (struct aux){0, 0};
	return n;
}

/*
 * The initial stack of the System V ABI: argc, argv, envp, auxv, with the
 * strings above.  Its address, or 0 if memory is short.
 */
static uintptr_t build_stack(const struct control_config *c)
{
	unsigned words = 1 + c->argc + 1 + c->envc + 1, n_aux;
	struct aux aux[AUX_MAX];
	uint64_t seed[2], random;
	uint64_t *v = kzalloc(words * sizeof(*v));
	uintptr_t sp, result = 0;

	random_bytes(seed, sizeof(seed));
	sp = vm_stack_create(STACK_SIZE, seed[0]);
	if (!sp || !v)
		goto out;
	sp -= 8;
	v[0] = c->argc;
	if (!push_strings(&sp, c->envp, c->envc, v + 2 + c->argc) ||
	    !push_strings(&sp, c->argv, c->argc, v + 1))
		goto out;
	random_bytes(seed, sizeof(seed));
	random = sp = push(sp, seed, sizeof(seed), 16);
	if (!sp)
		goto out;
	n_aux = fill_aux(aux, random, c->argc ? v[1] : 0);
	sp = ALIGN_DOWN(sp - n_aux * sizeof(*aux) - words * 8, 16);
	if (copy_out((void *)sp, v, words * 8) ||
	    copy_out((char *)sp + words * 8, aux, n_aux * sizeof(*aux)))
		goto out;
	result = sp;
out:
	kfree(v);
	return result;
}

static void program_entry(void *stack)
{
	toril_program_start(stack);
}

static bool given(const char *name)
{
	const char *pos = NULL;

	return cmdline_next(boot_info.cmdline, name, &pos) != NULL;
}

/* The value of NAME=, or `none` where there is none, or a greater one. */
static uint64_t given_number(const char *name, uint64_t none)
{
	const char *pos = NULL;
	const char *value = cmdline_next(boot_info.cmdline, name, &pos);
	uint64_t n;

	if (!value || !cmdline_number(&value, "", &n))
		return none;
	return min(n, none);
}

/* The first thread; becomes thread 1 of the program by starting that. */
static void init_thread(void *arg)
{
	const unsigned seconds = (unsigned)given_number("toril.objects", 86400);
	struct thread *t;
	uintptr_t sp;
	int err;

	(void)arg;
	lockdep_mistake(boot_info.cmdline);
	smp_start(machine.apic_id, machine.nr_cpus);
	virtio_probe_all(boot_info.cmdline);
	smp_wait();
	irq_spread();
	printk_verbose("toril: %u of %u CPUs run\n", cpus_online,
	    max(machine.nr_cpus, 1u));
	err = control_start(boot_info.cmdline);
	if (err) {
		printk("toril: can't start: error %d\n", -err);
		machine_exit(1);
	}
	sp = build_stack(&control_config);
	t = sp ? thread_create("main", program_entry, (void *)sp, sp) : NULL;
	if (!t) {
		printk("toril: not enough memory to start the program\n");
		process_exit(127);
	}
	if (control_config.argc) {
		const char *name = control_config.argv[0];
		for (const char *p = name; *p; p++)
			if (*p == '/' && p[1])
				name = p + 1;
		memset(t->name, 0, sizeof(t->name));
		memcpy(t->name, name, strnlen(name, sizeof(t->name) - 1));
	}
	if (given("toril.objects") && objects_watch(seconds))
		printk("toril: no memory to watch objects\n");
	control_started();
	image_seal();
	fail_alloc_start(boot_info.cmdline);
	thread_start(t);
}

/* Where PCs have had it since 1995, unless the MP table says otherwise. */
static uint64_t find_ioapic(void)
{
	const char *source = "ACPI's MADT";

	if (!acpi_read(boot_info.rsdp, &machine)) {
		source = "the MP table";
		if (!mptable_read(&machine))
			machine.nr_cpus = 0;
	}
	printk_verbose("toril: %u CPUs in %s\n", machine.nr_cpus, source);
	return machine.ioapic_addr ? machine.ioapic_addr : IOAPIC_DEFAULT;
}

__attribute__((no_stack_protector)) noreturn void kernel_main(void)
{
	uint64_t random;

	cpu_boot.kstack_top = KSTACK_BASE + KSTACK_SLOT;
	cpu_init(&cpu_boot);
	cpus[0] = &cpu_boot;
	random_bytes(&random, sizeof(random));
	cpu_boot.canary = random << 8; /* a string can't write its first byte */
	printk_is_verbose = given("toril.verbose");
	sched_dedicate = given("toril.dedicate");
	ioapic_pulses = given("toril.edge");
	fd_limit_max = (unsigned)given_number("toril.files", FD_LIMIT_MOST);
	fd_limit = min(fd_limit, fd_limit_max);
	page_init(
	    boot_info.ram, boot_info.nr_ram, phys_to_virt(boot_info.page_map));
	apic_init(find_ioapic());
	clock_measure_begin();
	random_bytes(&random, sizeof(random));
	vm_init((uintptr_t)__image_start, (uintptr_t)__image_end, random);
	if (sched_init_cpu(&cpu_boot))
		panic("not enough memory for the scheduler");
	clock_measure_end();
	events_start(boot_info.cmdline);
	if (thread_spawn_kernel("init", init_thread, NULL))
		panic("not enough memory for the first thread");
	sched_idle();
}

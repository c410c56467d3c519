/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starting the other CPUs: all at once, while the boot CPU goes on, which
 * waits for them only before the program starts.
 */
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/boot.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/lib/cmdline.h"
#include "kernel/lib/printk.h"
#include "kernel/lib/string.h"
#include "kernel/mm/kmem.h"
#include "kernel/mm/vm.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/thread.h"

#define RETRY_NS    (20 * NSEC_PER_MSEC) /* before a second start-up IPI */
#define PATIENCE_NS (10 * NSEC_PER_SEC)  /* without another CPU coming up */

extern const char ap_begin[], ap_end[], ap_cr3[], ap_entry[];
void ap_enter(void);
noreturn void ap_main(struct cpu *c);

read_mostly struct cpu *cpus[CPUS_MAX]; /* [0]: by kernel_main */
unsigned cpus_online = 1;

/* By APIC identifier, for ap_enter: those that were told to start. */
struct cpu *ap_table[256];
static unsigned expected;    /* in ap_table */
static unsigned next_id = 1; /* [a] */

static unsigned online(void)
{
	return __atomic_load_n(&cpus_online, __ATOMIC_SEQ_CST);
}

unsigned smp_expected(void)
{
	return expected + 1;
}

static struct cpu *cpu_create(uint32_t apic_id)
{
	struct cpu *c = kzalloc(sizeof(*c));

	if (!c)
		return NULL;
	c->apic_id = apic_id;
	c->canary = cpu_boot.canary; /* threads move with theirs */
	c->kstack_top = kstack_alloc();
	if (c->kstack_top && !sched_init_cpu(c))
		return c;
	if (c->kstack_top)
		kstack_free(c->kstack_top);
	kfree(c);
	return NULL;
}

/* Map the page that they start in, at its physical address. */
static void start_page_set(uint64_t *e, uint64_t bits)
{
	*e = AP_START_PHYS | bits | PTE_P | PTE_A | PTE_D;
	tlb_flush(AP_START_PHYS, AP_START_PHYS + PAGE_SIZE);
}

static uintptr_t offset(const char *label)
{
	return (uintptr_t)label - (uintptr_t)ap_begin;
}

static bool start_page_create(void)
{
	uintptr_t at = AP_START_PHYS;
	uint64_t *e = pte_find(at, true);
	uint64_t entry = (uintptr_t)ap_enter;
	uint32_t cr3 = (uint32_t)boot_info.pml4;

	if (!e)
		return false;
	start_page_set(e, PTE_W | PTE_NX);
	memcpy((char *)at, ap_begin, offset(ap_end));
	memcpy((char *)at + offset(ap_cr3), &cr3, sizeof(cr3));
	memcpy((char *)at + offset(ap_entry), &entry, sizeof(entry));
	start_page_set(e, 0);
	return true;
}

static void start_page_drop(void)
{
	*pte_find(AP_START_PHYS, false) = 0;
	pte_table_free(AP_START_PHYS);
}

/* A debug build can be told that one is to be left alone. */
static bool left_alone(unsigned id)
{
#ifdef TORIL_DEBUG
	const char *pos = NULL, *p;
	uint64_t n;

	p = cmdline_next(boot_info.cmdline, "toril.absent_cpu", &pos);
	return p && cmdline_number(&p, " ", &n) && n == id;
#else
	(void)id;
	return false;
#endif
}

static void start_all(void)
{
	for (unsigned id = 0; id < ARRAY_LEN(ap_table); id++)
		if (ap_table[id] && !ap_table[id]->online && !left_alone(id))
			apic_send_startup(id, AP_START_PHYS / PAGE_SIZE);
}

void smp_start(const uint8_t *apic_ids, unsigned n)
{
	uint32_t self = apic_id();

	cpu_boot.apic_id = self;
	cpu_boot.online = 1;
	if (n < 2 || boot_info.pml4 >> 32 || !start_page_create())
		return;
	for (unsigned i = 0; i < n && expected + 1 < CPUS_MAX; i++) {
		struct cpu *c;
		if (apic_ids[i] == self || ap_table[apic_ids[i]])
			continue;
		c = cpu_create(apic_ids[i]);
		if (!c) {
			printk("toril: no memory for CPU %u\n", apic_ids[i]);
			break;
		}
		ap_table[apic_ids[i]] = c;
		expected++;
		apic_send_init(apic_ids[i]);
	}
	start_all();
}

/* The first C code of another CPU, on its idle thread's stack. */
noreturn void ap_main(struct cpu *c)
{
	cpu_init(c);
	apic_init_cpu();
	c->id = __atomic_fetch_add(&next_id, 1, __ATOMIC_SEQ_CST);
	cpus[c->id] = c;
	while (online() != c->id) /* in order, so that the array has no gap */
		cpu_relax();
	__atomic_store_n(&c->online, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&cpus_online, c->id + 1, __ATOMIC_SEQ_CST);
	cpu_set_cr3(boot_info.pml4); /* nobody asked us to flush until now */
	sched_idle();
}

/* Until another one has come up, or the time is over. */
static bool wait_for_more(unsigned n, uint64_t patience)
{
	uint64_t end = clock_monotonic() + patience;

	while (online() == n && clock_monotonic() < end)
		cpu_relax();
	return online() != n;
}

void smp_wait(void)
{
	unsigned n;

	if (!expected)
		return;
	while ((n = online()) < expected + 1) {
		if (wait_for_more(n, RETRY_NS))
			continue;
		start_all();
		if (!wait_for_more(n, PATIENCE_NS))
			break;
	}
	for (unsigned id = 0; id < ARRAY_LEN(ap_table); id++)
		if (ap_table[id] && !ap_table[id]->online)
			printk("toril: CPU %u does not start; "
			       "the VM runs without it\n",
			    id);
	if (n == expected + 1)
		start_page_drop();
}

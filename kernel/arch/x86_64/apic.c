/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local APIC in xAPIC or x2APIC mode, and the IOAPIC.
 * Intel SDM volume 3, chapter "APIC"; 82093AA IOAPIC data sheet.
 */
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/lib/assert.h"

#define MSR_APIC_BASE    0x1b
#define APIC_BASE_ENABLE (1u << 11)
#define APIC_BASE_X2     (1u << 10)
#define MSR_X2APIC       0x800

#define APIC_ID         0x02 /* register numbers: xAPIC offset / 16 */
#define APIC_EOI        0x0b
#define APIC_SVR        0x0f
#define APIC_LVT_TIMER  0x32
#define APIC_LVT_LINT0  0x35
#define APIC_ICR        0x30 /* and 0x31 in xAPIC mode */
#define APIC_TIMER_INIT 0x38
#define APIC_TIMER_CUR  0x39
#define APIC_TIMER_DIV  0x3e
#define APIC_TPR        0x08
#define APIC_MASKED     (1u << 16)

#define ICR_INIT    0x4500u /* asserted, edge */
#define ICR_STARTUP 0x4600u
#define ICR_BUSY    0x1000u

#define IOAPIC_REDIR(n) (0x10 + 2 * (n))
#define IOAPIC_LEVEL    (1u << 15)

static volatile uint32_t *apic; /* xAPIC registers, NULL in x2APIC mode */
static volatile uint32_t *ioapic;
bool ioapic_pulses sealed;

static uint32_t apic_read(unsigned reg)
{
	return apic ? apic[reg * 4] : (uint32_t)cpu_rdmsr(MSR_X2APIC + reg);
}

static void apic_write(unsigned reg, uint32_t v)
{
	if (apic)
		apic[reg * 4] = v;
	else
		cpu_wrmsr(MSR_X2APIC + reg, v);
}

void apic_init_cpu(void)
{
	uint64_t base = cpu_rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

	if (cpu_features.x2apic) {
		cpu_wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2);
	} else {
		cpu_wrmsr(MSR_APIC_BASE, base);
		if (!apic)
			apic = mmio_map(base & 0xfffffffff000ull, PAGE_SIZE);
		if (!apic)
			panic("apic: no memory to map it");
	}
	apic_write(APIC_SVR, 0x100 | IRQ_SPURIOUS);
	apic_write(APIC_TIMER_DIV, 0x0b); /* divide by 1 */
	apic_write(APIC_LVT_TIMER, IRQ_TIMER);
}

void apic_init(uint64_t ioapic_phys)
{
	apic_init_cpu();
	ioapic = mmio_map(ioapic_phys, PAGE_SIZE);
	if (!ioapic)
		panic("ioapic: no memory to map it");
}

uint32_t apic_id(void)
{
	return apic ? apic_read(APIC_ID) >> 24 : apic_read(APIC_ID);
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

void apic_timer_set(uint32_t ticks)
{
	apic_write(APIC_TIMER_INIT, ticks);
}

uint32_t apic_timer_left(void)
{
	return apic_read(APIC_TIMER_CUR);
}

static void ioapic_write(unsigned reg, uint32_t v)
{
	ioapic[0] = reg;
	ioapic[4] = v;
}

void ioapic_enable(unsigned line, unsigned vector, uint32_t id)
{
	ioapic_write(IOAPIC_REDIR(line) + 1, id << 24);
	ioapic_write(
	    IOAPIC_REDIR(line), (ioapic_pulses ? 0 : IOAPIC_LEVEL) | vector);
}

static void icr_write(uint32_t id, uint32_t command)
{
	unsigned long flags;

	if (!apic) {
		cpu_wrmsr(MSR_X2APIC + APIC_ICR, (uint64_t)id << 32 | command);
		return;
	}
	flags = cpu_irq_save();
	while (apic_read(APIC_ICR) & ICR_BUSY)
		cpu_relax();
	apic_write(APIC_ICR + 1, id << 24);
	apic_write(APIC_ICR, command);
	cpu_irq_restore(flags);
}

void cpu_interrupt(const struct cpu *c, unsigned vector)
{
	icr_write(c->apic_id, 0x4000 | vector);
}

void apic_send_init(uint32_t id)
{
	icr_write(id, ICR_INIT);
}

void apic_send_startup(uint32_t id, unsigned page)
{
	icr_write(id, ICR_STARTUP | page);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Local APIC (timer, end of interrupt) and IOAPIC (device lines). */
#ifndef TORIL_KERNEL_ARCH_X86_64_APIC_H
#define TORIL_KERNEL_ARCH_X86_64_APIC_H

#include "kernel/lib/base.h"

/* ioapic_phys: where the first IOAPIC's registers are.  Includes
 * apic_init_cpu, which each other CPU calls for itself. */
void apic_init(uint64_t ioapic_phys);
void apic_init_cpu(void);
uint32_t apic_id(void);
void apic_eoi(void);

/* One-shot timer: interrupt after `ticks` of the APIC's counter (1 GHz under
 * QEMU), 0 stops it.  apic_timer_left returns what is left of it. */
void apic_timer_set(uint32_t ticks);
uint32_t apic_timer_left(void);

/* Devices do not hold their lines until they are answered, as QEMU's do, but
 * pulse them (Firecracker's): they are edge-triggered. */
extern bool ioapic_pulses;

/* Route a line of the first IOAPIC to the CPU whose APIC has that identifier.
 */
void ioapic_enable(unsigned line, unsigned vector, uint32_t id);

/* Reset another CPU, and have it start at a page below 1 MiB, in real mode. */
void apic_send_init(uint32_t id);
void apic_send_startup(uint32_t id, unsigned page);

/* Map device registers; never unmapped.  NULL when memory is short. */
volatile void *mmio_map(uint64_t phys, size_t len);

/* kernel/sched/timer.c: the LAPIC timer has fired. */
void timer_interrupt(void);

#endif

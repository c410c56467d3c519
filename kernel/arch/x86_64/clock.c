/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time from the TSC.
 *
 * ns = base_ns + (tsc - base_tsc) * mult / 2^32.  `mult` comes from the KVM
 * clock's parameters where there is one, else from measuring the TSC against
 * the LAPIC timer, which counts nanoseconds under QEMU.  The first measuring
 * takes what boot takes, some hundred microseconds; whenever the timer is
 * programmed anew on the boot CPU after a much longer stretch, that refines it.
 * A change of rate starts a new base, so that time never jumps.
 *
 * The wall clock is the RTC's at boot (MC146818), until the launcher's
 * control channel or the program sets it.
 */
#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/sched/clock.h"

#define KVM_SIGNATURE_LEAF 0x40000000
#define KVM_FEATURES_LEAF  0x40000001
#define KVM_CLOCKSOURCE2   (1u << 3)
#define MSR_KVM_CLOCK      0x4b564d01

#define REFINE_MIN_NS (20 * NSEC_PER_MSEC)
#define REFINE_FACTOR 4 /* a stretch this much longer replaces the last */

struct pvclock_info {
	uint32_t version, pad0;
	uint64_t tsc_timestamp, system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags, pad[2];
};

static struct {
	uint32_t seq; /* [a] odd while it changes */
	uint64_t base_tsc, base_ns, mult;
} clk = {.mult = 1ull << 31}; /* 2 GHz until measured */

static uint64_t realtime_offset; /* [a] realtime - monotonic, 0: not read */
static bool rate_is_exact;       /* [i] from the KVM clock */
static uint64_t best_stretch;    /* ns behind the present mult */

static struct sample {
	uint64_t tsc;
	uint32_t left;
} armed; /* when the LAPIC timer was programmed; left 0: not looked */

uint64_t clock_monotonic(void)
{
	uint64_t base_tsc, base_ns, mult;
	uint32_t seq;

	do {
		seq = __atomic_load_n(&clk.seq, __ATOMIC_ACQUIRE) & ~1u;
		base_tsc = clk.base_tsc;
		base_ns = clk.base_ns;
		mult = clk.mult;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (seq != __atomic_load_n(&clk.seq, __ATOMIC_RELAXED));
	return base_ns +
	       (uint64_t)((unsigned __int128)(cpu_rdtsc() - base_tsc) * mult >>
			  32);
}

static void set_rate(uint64_t mult)
{
	unsigned long flags = cpu_irq_save();
	uint64_t tsc = cpu_rdtsc();
	uint64_t ns =
	    clk.base_ns +
	    (uint64_t)((unsigned __int128)(tsc - clk.base_tsc) * clk.mult >>
		       32);

	__atomic_add_fetch(&clk.seq, 1, __ATOMIC_ACQ_REL);
	clk.base_tsc = tsc;
	clk.base_ns = ns;
	clk.mult = mult;
	__atomic_add_fetch(&clk.seq, 1, __ATOMIC_ACQ_REL);
	cpu_irq_restore(flags);
}

static bool kvm_rate(void)
{
	static struct pvclock_info info __attribute__((aligned(64)));
	extern uint64_t image_virt_to_phys(const void *va);
	uint32_t r[4];
	uint64_t mult;

	cpu_cpuid(KVM_SIGNATURE_LEAF, 0, r);
	if (r[1] != 0x4b4d564b || r[2] != 0x564b4d56 || r[3] != 0x4d)
		return false;
	cpu_cpuid(KVM_FEATURES_LEAF, 0, r);
	if (!(r[0] & KVM_CLOCKSOURCE2))
		return false;
	cpu_wrmsr(MSR_KVM_CLOCK, image_virt_to_phys(&info) | 1);
	mult = info.tsc_to_system_mul;
	mult = info.tsc_shift < 0 ? mult >> -info.tsc_shift
				  : mult << info.tsc_shift;
	if (!mult)
		return false;
	set_rate(mult);
	return true;
}

/* The LAPIC timer and the TSC at one moment, as nearly as can be: where the
 * LAPIC is emulated an access takes microseconds, now and then many. */
static struct sample sample(void)
{
	struct sample best = {0};
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < 4; i++) {
		uint64_t before = cpu_rdtsc();
		uint32_t left = apic_timer_left();
		uint64_t took = cpu_rdtsc() - before;
		if (took >= shortest)
			continue;
		shortest = took;
		best = (struct sample){before + took / 2, left};
	}
	return best;
}

void clock_measure_begin(void)
{
	clk.base_tsc = cpu_rdtsc();
	rate_is_exact = kvm_rate();
	apic_timer_set(UINT32_MAX);
	armed = sample();
}

/* What has passed since `armed` gives the rate. */
static void measure(void)
{
	struct sample now = sample();
	uint64_t ns = armed.left - now.left, tsc = now.tsc - armed.tsc;

	if (!now.left || now.left >= armed.left || !tsc)
		return; /* it has run out */
	/* ns has 32 bits */
	set_rate((ns << 32) / tsc);
	best_stretch = ns;
}

void clock_measure_end(void)
{
	if (!rate_is_exact)
		measure();
}

static bool refines(uint64_t ns)
{
	return !rate_is_exact && ns >= REFINE_MIN_NS &&
	       ns / REFINE_FACTOR >= best_stretch;
}

static void refine(void)
{
	uint64_t tsc = cpu_rdtsc() - armed.tsc;

	if (armed.left &&
	    refines((uint64_t)((unsigned __int128)tsc * clk.mult >> 32)))
		measure();
}

void clock_timer_program(uint32_t ns)
{
	if (cpu_self() != &cpu_boot) {
		apic_timer_set(ns);
		return;
	}
	refine();
	apic_timer_set(ns);
	armed = refines(ns) ? sample() : (struct sample){0};
}

static uint8_t cmos(uint8_t reg)
{
	cpu_outb(0x70, reg);
	return cpu_inb(0x71);
}

static unsigned from_bcd(unsigned v)
{
	return (v >> 4) * 10 + (v & 15);
}

static uint64_t days_from_civil(unsigned y, unsigned m, unsigned d)
{
	unsigned era_year = m <= 2 ? y - 1 : y;
	unsigned day = (153 * (m + (m > 2 ? -3u : 9u)) + 2) / 5 + d - 1;

	return 365ull * era_year + era_year / 4 - era_year / 100 +
	       era_year / 400 + day - 719468;
}

static uint64_t rtc_seconds(void)
{
	uint8_t r[6], again[6], regs[6] = {0, 2, 4, 7, 8, 9};
	unsigned v[6], same, tries = 0;

	/* Two equal readings in a row are not torn by an update. */
	do {
		for (int i = 0; i < 6; i++)
			r[i] = cmos(regs[i]);
		same = 1;
		for (int i = 0; i < 6; i++) {
			again[i] = cmos(regs[i]);
			same &= again[i] == r[i];
		}
	} while (!same && ++tries < 10);
	for (int i = 0; i < 6; i++)
		v[i] = cmos(0x0b) & 4 ? r[i] : from_bcd(r[i]);
	return days_from_civil(2000 + v[5], v[4], v[3]) * 86400 + v[2] * 3600 +
	       v[1] * 60 + v[0];
}

uint64_t clock_realtime(void)
{
	if (!realtime_offset)
		realtime_offset =
		    rtc_seconds() * NSEC_PER_SEC - clock_monotonic();
	return realtime_offset + clock_monotonic();
}

void clock_set_realtime(uint64_t ns)
{
	realtime_offset = ns - clock_monotonic();
}

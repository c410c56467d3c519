/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signal frames: Linux x86-64's struct rt_sigframe, so that handlers find the
 * ucontext they expect and may change it.
 *
 *	fpstate		XSAVE image, 64-byte aligned
 *	siginfo
 *	ucontext	with a pointer to the fpstate
 *	pretcode	return address: the restorer
 */
#include "kernel/sched/signal_frame.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/kcall.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/lib/assert.h"
#include "kernel/lib/string.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sched/process.h"
#include "kernel/sched/signal.h"
#include "kernel/sched/thread.h"

#define SA_ONSTACK_FLAG 0x08000000ull
#define SA_RESTART_FLAG 0x10000000ull
#define SS_ONSTACK_FLAG 1
#define SS_DISABLE_FLAG 2
#define RED_ZONE        128

#define RFLAGS_USER 0xcd5ul /* CF PF AF ZF SF OF DF and TF excluded */

/* asm/sigcontext.h and asm/ucontext.h, whose names clash with ours. */
struct sig_context {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2;
	uint64_t fpstate;
	uint64_t reserved[8];
};

struct sig_ucontext {
	uint64_t flags, link;
	uint64_t stack_sp;
	uint32_t stack_flags, pad;
	uint64_t stack_size;
	struct sig_context regs;
	uint64_t mask;
};

struct sig_frame {
	uint64_t pretcode;
	struct sig_ucontext uc;
	struct signal_info info;
};

static_assert(sizeof(struct sig_context) == 256, "Linux ABI");
static_assert(sizeof(struct signal_info) == 128, "Linux ABI");

noreturn void trap_resume(const struct trap_frame *f);

static bool on_altstack(const struct signal_thread *s, uintptr_t sp)
{
	return sp - s->alt_sp <= s->alt_size && s->alt_size &&
	       !(s->alt_flags & SS_DISABLE_FLAG);
}

/* A call leaves the caller's stack pointer at the top of the kernel stack. */
bool signal_on_altstack(void)
{
	const struct thread *t = thread_current();
	const struct kcall_frame *k =
	    (const struct kcall_frame *)t->kstack_top - 1;

	return on_altstack(t->signals, k->rsp);
}

static uintptr_t stack_for(
    const struct trap_frame *f, const struct signal_action *act)
{
	const struct signal_thread *s = thread_current()->signals;

	if (act->flags & SA_ONSTACK_FLAG && !on_altstack(s, f->rsp) &&
	    !(s->alt_flags & SS_DISABLE_FLAG))
		return s->alt_sp + s->alt_size;
	return f->rsp - RED_ZONE;
}

static void regs_save(struct sig_context *c, const struct trap_frame *f)
{
	c->r8 = f->r8, c->r9 = f->r9, c->r10 = f->r10, c->r11 = f->r11;
	c->r12 = f->r12, c->r13 = f->r13, c->r14 = f->r14, c->r15 = f->r15;
	c->rdi = f->rdi, c->rsi = f->rsi, c->rbp = f->rbp, c->rbx = f->rbx;
	c->rdx = f->rdx, c->rax = f->rax, c->rcx = f->rcx, c->rsp = f->rsp;
	c->rip = f->rip, c->rflags = f->rflags;
	c->cs = SEL_CODE, c->ss = SEL_DATA;
	c->err = f->error, c->trapno = f->vector;
}

static void regs_load(struct trap_frame *f, const struct sig_context *c)
{
	f->r8 = c->r8, f->r9 = c->r9, f->r10 = c->r10, f->r11 = c->r11;
	f->r12 = c->r12, f->r13 = c->r13, f->r14 = c->r14, f->r15 = c->r15;
	f->rdi = c->rdi, f->rsi = c->rsi, f->rbp = c->rbp, f->rbx = c->rbx;
	f->rdx = c->rdx, f->rax = c->rax, f->rcx = c->rcx, f->rsp = c->rsp;
	f->rip = c->rip;
	f->rflags = (c->rflags & RFLAGS_USER) | RFLAGS_IF | 2;
	f->cs = SEL_CODE, f->ss = SEL_DATA;
}

int signal_frame_push(struct trap_frame *f, const struct signal_info *info,
    const struct signal_action *act, uint64_t mask)
{
	struct thread *t = thread_current();
	uintptr_t fp = stack_for(f, act) - cpu_features.xsave_size;
	uintptr_t sp;
	struct sig_frame frame = {.pretcode = act->restorer, .info = *info};

	fp &= ~63ul;
	sp = ((fp - sizeof(frame)) & ~15ul) - 8;
	frame.uc.stack_sp = t->signals->alt_sp;
	frame.uc.stack_size = t->signals->alt_size;
	frame.uc.stack_flags = t->signals->alt_flags;
	frame.uc.mask = mask;
	regs_save(&frame.uc.regs, f);
	frame.uc.regs.fpstate = fp;
	frame.uc.regs.cr2 = info->signo == SIG_SEGV ? info->addr : 0;
	fpu_save(t->xsave);
	if (copy_out((void *)fp, t->xsave, cpu_features.xsave_size) ||
	    copy_out((void *)sp, &frame, sizeof(frame)))
		return -EFAULT;
	f->rsp = sp;
	f->rip = act->handler;
	f->rdi = (uint64_t)info->signo;
	f->rsi = sp + offsetof(struct sig_frame, info);
	f->rdx = sp + offsetof(struct sig_frame, uc);
	f->rax = 0;
	f->rflags = RFLAGS_IF | 2;
	return 0;
}

/* What a program may have put there must not fault when it is loaded. */
static void fpu_sanitize(uint8_t *area)
{
	uint64_t *header = (uint64_t *)(area + 512);

	*(uint32_t *)(area + 24) &= 0xffff; /* MXCSR's reserved bits */
	if (!cpu_features.xsave)
		return;
	header[0] &= cpu_features.xcr0;
	memset(header + 1, 0, 56);
}

/* Go to the program state in f, vector registers from t->xsave if `vectors`. */
static noreturn void resume(struct trap_frame *f, bool vectors)
{
	cpu_irq_off();
	if (vectors)
		fpu_restore(thread_current()->xsave);
	cpu_self()->depth = 0;
	trap_resume(f);
}

noreturn void signal_return(uintptr_t uc_addr)
{
	struct thread *t = thread_current();
	struct sig_ucontext uc;
	struct trap_frame f = {0};

	if (copy_in(&uc, (void *)uc_addr, sizeof(uc)))
		process_exit_signal(SIG_SEGV);
	if (uc.regs.fpstate) {
		if (copy_in(t->xsave, (void *)uc.regs.fpstate,
			cpu_features.xsave_size))
			process_exit_signal(SIG_SEGV);
		fpu_sanitize(t->xsave);
	}
	regs_load(&f, &uc.regs);
	signal_set_mask(uc.mask, NULL);
	t->vectors_live = false;
	/* Signals that the old mask lets through nest right here, with the
	 * vector registers that are about to be restored. */
	if (t->signal_work) {
		if (uc.regs.fpstate)
			fpu_restore(t->xsave);
		t->vectors_live = true;
		signal_deliver_trap(&f);
		t->vectors_live = false;
		resume(&f, false);
	}
	resume(&f, uc.regs.fpstate != 0);
}

extern char kcall_enter[], kcall_exit_begin[], kcall_exit_end[];

void kcall_rewind(struct trap_frame *f)
{
	if (f->rip >= (uintptr_t)kcall_exit_begin &&
	    f->rip < (uintptr_t)kcall_exit_end)
		f->rip = (uintptr_t)kcall_exit_begin;
}

/* The program's state as a trap frame: as if it had just returned from the
 * call, or, to restart it, as if it were about to make it. */
static int program_state(
    struct trap_frame *f, const struct kcall_frame *k, bool restart)
{
	*f = (struct trap_frame){
	    .r15 = k->r15,
	    .r14 = k->r14,
	    .r13 = k->r13,
	    .r12 = k->r12,
	    .rbp = k->rbp,
	    .rbx = k->rbx,
	    .rax = k->result,
	    .rsp = k->rsp + 8,
	    .cs = SEL_CODE,
	    .ss = SEL_DATA,
	    .rflags = RFLAGS_IF | 2,
	};
	if (restart) {
		f->r9 = k->args[0], f->r8 = k->args[1];
		f->rcx = k->args[2], f->rdx = k->args[3];
		f->rsi = k->args[4], f->rdi = k->args[5];
		f->rax = k->function;
		f->rip = (uintptr_t)kcall_enter;
		f->rsp = k->rsp;
		return 0;
	}
	return copy_in(&f->rip, (void *)k->rsp, 8);
}

/* The action of the signal that will be delivered next decides whether an
 * interrupted call is restarted: with a handler, SA_RESTART; without, yes. */
static bool restart_wanted(void)
{
	uint64_t set = signal_pending_set() & ~signal_mask();
	struct signal_action act;

	if (!set) /* not even a cancellation that ends the call? */
		return !signal_interrupts(thread_current());
	signal_action_get(__builtin_ctzll(set) + 1, &act);
	return act.handler <= 1 || act.flags & SA_RESTART_FLAG;
}

/* Slow exit of a kernel call, from kcall.S. */
void kcall_work(struct kcall_frame *k);
void kcall_work(struct kcall_frame *k)
{
	bool interrupted = (int64_t)k->result == -ERESTARTSYS;
	struct trap_frame f;
	uintptr_t rsp;

	if (cpu_self()->work & CPU_WORK_RESCHED) {
		cpu_irq_off();
		thread_preempt();
		cpu_irq_on();
	}
	if (!(cpu_self()->work & CPU_WORK_SIGNAL)) {
		if (interrupted)
			k->result = (uint64_t)-EINTR;
		return;
	}
	if (interrupted && !restart_wanted()) {
		interrupted = false;
		k->result = (uint64_t)-EINTR;
	}
	if (program_state(&f, k, interrupted))
		process_exit_signal(SIG_SEGV);
	rsp = f.rsp;
	signal_deliver_trap(&f);
	if (f.rsp == rsp && !interrupted)
		return; /* no handler after all */
	resume(&f, false);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals: state, sending, delivery.  POSIX.1-2017 2.4, Linux x86-64's frame.
 *
 * A signal is pending for a thread or for the process.  It is delivered when
 * a thread is about to go on with program code: on the way out of a kernel
 * call or of an interrupt.  A handler then runs on the program's stack (or
 * the alternate one) from a frame that rt_sigreturn takes back.
 *
 * Locks: signal_lock covers all of it; taken with interrupts off.
 */
#ifndef TORIL_KERNEL_SCHED_SIGNAL_H
#define TORIL_KERNEL_SCHED_SIGNAL_H

#include "kernel/lib/list.h"
#include "kernel/sched/wait.h"

#define SIGNALS    64
#define SIG_BIT(n) (1ull << ((n)-1))

enum signal_number {
	SIG_HUP = 1,
	SIG_INT = 2,
	SIG_QUIT = 3,
	SIG_ILL = 4,
	SIG_TRAP = 5,
	SIG_ABRT = 6,
	SIG_BUS = 7,
	SIG_FPE = 8,
	SIG_KILL = 9,
	SIG_SEGV = 11,
	SIG_PIPE = 13,
	SIG_ALRM = 14,
	SIG_CHLD = 17,
	SIG_CONT = 18,
	SIG_STOP = 19,
	SIG_TSTP = 20,
	SIG_TTIN = 21,
	SIG_TTOU = 22,
	SIG_URG = 23,
	SIG_XCPU = 24,
	SIG_XFSZ = 25,
	SIG_VTALRM = 26,
	SIG_PROF = 27,
	SIG_WINCH = 28,
	SIG_RT_MIN = 32,
	SIG_CANCEL = 33, /* musl's, for pthread_cancel */
};

enum signal_code {
	SI_USER_CODE = 0,
	SI_KERNEL_CODE = 0x80,
	SI_TIMER_CODE = -2,
	SI_MESGQ_CODE = -3,
	SI_TKILL_CODE = -6,
	SI_FPE_INTDIV = 1,
	SI_FPE_FLTINV = 7,
	SI_ILL_ILLOPN = 2,
	SI_SEGV_MAPERR = 1,
	SI_SEGV_ACCERR = 2,
	SI_BUS_ADRALN = 1,
	SI_BUS_ADRERR = 2,
	SI_TRAP_BRKPT = 1,
};

struct thread;
struct trap_frame;
struct siginfo; /* asm/siginfo.h */

/* Linux's struct sigaction as the kernel call passes it. */
struct signal_action {
	uintptr_t handler; /* 0 default, 1 ignore */
	uint64_t flags;    /* SA_* */
	uintptr_t restorer;
	uint64_t mask;
};

/* A queued signal, with Linux's siginfo. */
struct signal_info {
	int32_t signo, err, code, pad;
	union {
		struct {
			int32_t pid;
			uint32_t uid;
			uint64_t value;
		};
		struct {
			int32_t timer_id, overrun;
			uint64_t timer_value;
		};
		uint64_t addr;
		uint8_t fill[112];
	};
};

struct signal_thread {
	uint64_t blocked;    /* [signal_lock] */
	uint64_t pending;    /* [signal_lock] */
	struct list queue;   /* [signal_lock] infos of pending ones */
	uint64_t saved_mask; /* own thread: to restore after delivery */
	bool restore_mask;   /* own thread */
	uintptr_t alt_sp;    /* own thread: sigaltstack */
	size_t alt_size;
	uint32_t alt_flags;
	uint64_t waiting; /* [signal_lock] set in sigtimedwait */
};

struct fault_info {
	int signo, code;
	uintptr_t addr;
	const char *what;
};

int signal_thread_init(struct thread *t); /* 0 or -ENOMEM */
void signal_thread_free(struct thread *t);

/* The calling thread ends: it takes no more signals, others do. */
void signal_thread_exit(void);

/* Send; not in interrupts (it allocates).  info may be NULL.  For a
 * real-time signal -EAGAIN when it can't be queued; -ESRCH: no such tid. */
int signal_send_thread(
    struct thread *t, int signo, const struct signal_info *info);
int signal_send_tid(int tid, int signo, const struct signal_info *info);
int signal_send_process(int signo, const struct signal_info *info);

/*
 * A timer ran out `times` times: send its signal to thread tid, or with tid 0
 * to the process.  While the last one is still pending only its overrun count
 * grows.  -ESRCH, -EAGAIN.  Not in interrupts.
 */
int signal_send_timer(
    int tid, int signo, int timer_id, uint64_t value, uint64_t times);

/*
 * The timer is gone, and its id may be another's soon: drop what it has sent
 * and nobody took.  tid as above.  Must not be called with a spinlock held.
 */
void signal_forget_timer(int tid, int timer_id);

/* Set by whoever has timers: a timer's signal was taken. */
extern void (*signal_timer_taken)(int timer_id, int overrun);

/* The process is ending: no thread but the caller gets back to its code. */
void signal_stop_others(void);
bool signal_stopping(void);

/* Program code faulted: deliver to it, or end the program with a report. */
void signal_fault(struct trap_frame *f, const struct fault_info *info);

/* About to return to the program code in f: deliver what is pending. */
void signal_deliver_trap(struct trap_frame *f);

/* Change the mask; old may be NULL.  KILL and STOP are never blocked. */
void signal_set_mask(uint64_t mask, uint64_t *old);
uint64_t signal_mask(void);

/* Block until a signal of `set` is pending for the caller and take it.
 * The signal number, -EAGAIN (deadline), -EINTR. */
int signal_wait(uint64_t set, uint64_t deadline, struct signal_info *info);

/* Take a pending signal of `set` without waiting; its number, or 0. */
int signal_take(uint64_t set, struct signal_info *info);

/* Woken, with POLL_IN as key, when a signal becomes pending. */
extern struct waitq signal_arrival;

/* At most so many signals are queued at a time: RLIMIT_SIGPENDING. */
extern unsigned signal_queue_max;

/* Actions of the process. */
void signal_action_get(int signo, struct signal_action *a);
void signal_action_set(int signo, const struct signal_action *a);
uint64_t signal_pending_set(void); /* of the calling thread and the process */

/* Leave the handler whose ucontext is at uc: does not return normally. */
noreturn void signal_return(uintptr_t uc);

#endif
